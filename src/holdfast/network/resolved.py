"""Name servers of one link, told to systemd-resolved through resolvectl(1)."""

import contextlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from holdfast.errors import HostError
from holdfast.network.kernel import Kernel

TIMEOUT = 5.0
WRITTEN = (Path("/run/systemd/resolve/resolv.conf"), Path("/run/systemd/resolve/stub-resolv.conf"))
"""Files that systemd-resolved writes anew when it starts, and whenever what it was told for any link changes."""


def stamp() -> tuple[tuple[int, int] | None, ...]:
    """Return what is another value after systemd-resolved was started again or told something: costs two stat(2)."""
    return tuple(map(_identity, WRITTEN))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


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

    def stands(self) -> bool:
        """Whether it is still so. HostError when systemd-resolved does not answer."""
        wanted = {"dns": self.servers, "domain": self.domains}
        return all(set(_told(verb, self.interface)) == set(values) for verb, values in wanted.items())

    def undo(self, kernel: Kernel, memory: dict[str, Any]) -> bool:  # noqa: ARG002  # the protocol's signature
        """Forget what was set; a link that is gone took it along, and so did a systemd-resolved that is gone."""
        if kernel.netlink.link(self.interface) is None:
            return False
        try:
            _resolvectl("revert", self.interface)
        except HostError:
            if answers():
                raise
            return False
        return True

    def plain(self) -> dict[str, Any]:
        """Return the fields."""
        return {"interface": self.interface, "servers": list(self.servers), "domains": list(self.domains)}

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "UseResolved":
        """Make the change from its fields."""
        return cls(fields["interface"], tuple(fields["servers"]), tuple(fields["domains"]))


def _told(verb: str, interface: str) -> list[str]:
    """Return what a link was told: `Link 7 (pptp0): 10.0.0.1 10.0.0.2` without its beginning."""
    return _resolvectl(verb, interface).partition("):")[2].split()


def answers() -> bool:
    """Whether systemd-resolved is there at all: its files stay behind when it dies."""
    try:
        _resolvectl("status")
    except HostError:
        return False
    return True


def _resolvectl(*arguments: str) -> str:
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
        where = " ".join(["DNS", *arguments[1:2]])
        raise HostError(f"systemd-resolved refuses: {done.stderr.strip()}", where=where)
    return done.stdout
