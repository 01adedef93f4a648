"""Where a probe goes out: sockets that are bound to one interface, whatever the routes of this host say."""

import asyncio
import errno
import socket
from dataclasses import dataclass

from holdfast.probe.outcome import ProbeFailedError, Stage


@dataclass(frozen=True, slots=True)
class Place:
    """A tunnel. `interface` may be empty: then the routes decide; `local` is our address in it, as text.

    `servers`: the name servers inside; `direct`: the server outside, with whose answers those from inside are
    compared. Empty where there are none.
    """

    interface: str = ""
    local: str = ""
    servers: tuple[str, ...] = ()
    direct: str = ""

    @property
    def outside(self) -> "Place":
        """The same host, beside the tunnel."""
        return Place()

    def open(self, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """Return an IPv4 socket whose packets go out here. ProbeFailedError when this host refuses."""
        try:
            opened = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK, protocol)
        except OSError as error:
            raise _refused(self.interface, error) from error
        try:
            if self.interface:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode())
            if self.local:
                opened.bind((self.local, 0))
        except OSError as error:
            opened.close()
            raise _refused(self.interface, error) from error
        return opened

    async def connect(self, kind: socket.SocketKind, address: str, port: int) -> socket.socket:
        """Return such a socket, connected. OSError when the other side or the way refuses."""
        opened = self.open(kind)
        try:
            await asyncio.get_running_loop().sock_connect(opened, (address, port))
        except BaseException:
            opened.close()
            raise
        return opened


def _refused(interface: str, error: OSError) -> ProbeFailedError:
    where = interface or "this host"
    if error.errno == errno.ENODEV:
        return ProbeFailedError(Stage.HOST, f"there is no interface {interface}")
    if error.errno == errno.EADDRNOTAVAIL:
        return ProbeFailedError(Stage.HOST, f"{where} has another address now")
    if error.errno in {errno.EPERM, errno.EACCES}:
        return ProbeFailedError(Stage.HOST, f"not allowed on {where}: this needs root or CAP_NET_RAW")
    return ProbeFailedError(Stage.HOST, f"{where}: {error.strerror}")
