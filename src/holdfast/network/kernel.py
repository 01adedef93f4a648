"""The host as the changes see it: netlink, nft, sysctl, files. Nothing here remembers anything.

Each accessor raises `HostError` for what the host refuses, naming the thing and the way out.
"""

import errno
import os
from pathlib import Path

from holdfast.errors import HostError
from holdfast.network.netlink import Netlink
from holdfast.network.nf_tables import NfTables
from holdfast.network.nft import Nft
from holdfast.network.refusal import rights_fix

SYSCTL_ROOT = Path("/proc/sys")


class Sysctl:
    """Kernel settings by their path below /proc/sys, such as `net/ipv4/ip_forward`."""

    def __init__(self, root: Path = SYSCTL_ROOT) -> None:
        self._root = root

    def read(self, key: str) -> str | None:
        """Return the value without the line end, or None where the kernel has no such setting."""
        try:
            return (self._root / key).read_text(encoding="ascii").rstrip("\n")
        except FileNotFoundError:
            return None

    def write(self, key: str, value: str) -> None:
        """Set a value. HostError when the kernel refuses."""
        try:
            (self._root / key).write_text(value, encoding="ascii")
        except OSError as error:
            fix = rights_fix(error.errno)
            if error.errno == errno.EROFS:
                fix = f"set it before the start: sysctl -w {key.replace('/', '.')}={value}"
            raise HostError(f"cannot set {key} to {value}: {error.strerror}", where="sysctl", fix=fix) from error

    def matching(self, pattern: str) -> list[str]:
        """Return the keys that match a glob pattern, sorted."""
        return sorted(str(path.relative_to(self._root)) for path in self._root.glob(pattern))


class Kernel:
    """Everything that a change may touch, in one place so that tests can stand in for it."""

    def __init__(
        self,
        *,
        sysctl: Sysctl | None = None,
        nft: Nft | None = None,
        netlink: Netlink | None = None,
        nf_tables: NfTables | None = None,
    ) -> None:
        self.sysctl = sysctl or Sysctl()
        self.nft = nft or Nft()
        self.nf_tables = nf_tables or NfTables()
        self.netlink = netlink or Netlink()

    @staticmethod
    def boot_identity() -> str:
        """Return what is new after a reboot and in another network namespace.

        Addresses, routes, tables and settings of an earlier boot are gone by themselves.
        """
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/thread-self/ns/net')}"
