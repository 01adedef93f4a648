"""Datagrams to a receiver that may not be there."""

import os
import select
import socket
from collections.abc import Iterable

FIRST_ANSWER = 0.3
"""Seconds to wait for the network's answer to the first datagrams on a socket that nobody listens there."""


class Datagrams:
    """Sends over UDP to the first address of `host` that there is a way to. OSError when nobody listens there, as far
    as the network says so. What it loses on the way is lost.
    """

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._socket: socket.socket | None = None

    def send(self, datagrams: Iterable[bytes]) -> None:
        """Send each. Whether anybody is there at all is found out with the first ones."""
        if self._socket is not None:
            for datagram in datagrams:
                self._socket.send(datagram)
            return
        self._socket = _connected(*self._to)
        for datagram in datagrams:
            self._socket.send(datagram)
        # Without this wait they would seem to have arrived: each time anew, and each time that would be told.
        select.select([self._socket], [], [], FIRST_ANSWER)
        if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def _connected(host: str, port: int) -> socket.socket:
    trouble: OSError | None = None
    for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM):
        made = socket.socket(family, kind | socket.SOCK_CLOEXEC)
        try:
            made.connect(address)
        except OSError as error:
            made.close()
            trouble = error
        else:
            return made
    raise trouble or OSError("it has no address")
