"""Name servers of one link, told to systemd-resolved through resolvectl(1)."""

import contextlib
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, ClassVar

from holdfast.errors import HostError
from holdfast.network.kernel import Kernel

TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class UseResolved:
    """`servers` answer for `domains` on `interface`; the domain `~.` means for every name."""

    interface: str
    servers: tuple[str, ...]
    domains: tuple[str, ...]
    kind: ClassVar[str] = "resolved"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"DNS {', '.join(self.servers)} for {', '.join(self.domains)} on {self.interface}"

    def inspect(self, kernel: Kernel) -> dict[str, Any] | None:  # noqa: ARG002  # the protocol's signature
        """Nothing is remembered: a link of our own had no name servers."""
        return {}

    def apply(self, kernel: Kernel) -> None:  # noqa: ARG002  # the protocol's signature
        """Set servers, domains and whether the link is asked for names of no domain."""
        try:
            _resolvectl("dns", self.interface, *self.servers)
            _resolvectl("domain", self.interface, *self.domains)
            _resolvectl("default-route", self.interface, "yes" if "~." in self.domains else "no")
        except HostError:
            with contextlib.suppress(HostError):
                _resolvectl("revert", self.interface)
            raise

    def undo(self, kernel: Kernel, memory: dict[str, Any]) -> bool:  # noqa: ARG002  # the protocol's signature
        """Forget what was set; a link that is gone took it along."""
        if kernel.netlink.link(self.interface) is None:
            return False
        _resolvectl("revert", self.interface)
        return True

    def plain(self) -> dict[str, Any]:
        """Return the fields."""
        return {"interface": self.interface, "servers": list(self.servers), "domains": list(self.domains)}

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "UseResolved":
        """Make the change from its fields."""
        return cls(fields["interface"], tuple(fields["servers"]), tuple(fields["domains"]))


def _resolvectl(*arguments: str) -> None:
    command = shutil.which("resolvectl")
    if command is None:
        raise HostError("the resolvectl command is missing", where="DNS", fix="use resolv.conf (dns = file)")
    try:
        done = subprocess.run(  # noqa: S603  # fixed command, checked addresses
            [command, *arguments], capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise HostError(f"resolvectl gave no answer in {TIMEOUT:.0f} s", where="DNS") from error
    if done.returncode:
        raise HostError(f"systemd-resolved refuses: {done.stderr.strip()}", where=f"DNS {arguments[1]}")
