"""A connection to a receiver over TCP or TLS that is made when it is needed, and again when it broke."""

import contextlib
import fcntl
import os
import socket
import ssl
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 10.0
"""Seconds for connecting and for each piece sent: a receiver that hangs is one that failed."""
FIRST_LOOK, LONGEST_LOOK = 0.0002, 0.02
"""Seconds between looks whether everything is acknowledged."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How the receiver proves who it is (`ca`, else the system's authorities), and how we do (`cert`, `key`)."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what the connection is made with. OSError when a file cannot be used."""
        context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


class Stream:
    """Sends octets to `host`. OSError when they certainly, or possibly, did not arrive."""

    def __init__(self, host: str, port: int, tls: Tls | None = None, *, timeout: float = TIMEOUT) -> None:
        self._host, self._port, self._tls, self._timeout = host, port, tls, timeout
        self._socket: socket.socket | None = None

    def send(self, octets: bytes) -> None:
        """Send, connecting first where needed."""
        if self._socket is not None and self._gone(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._connect()
        self._socket.sendall(octets)
        self._await_acknowledgement(self._socket)

    def close(self) -> None:
        """Give the connection back."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
        self._socket = None

    def _await_acknowledgement(self, connection: socket.socket) -> None:
        """Wait until the other machine has it all (tcp(7), SIOCOUTQ): what was on the way to one that died is sent
        again, and not forgotten."""
        limit, pause = time.monotonic() + self._timeout, FIRST_LOOK
        while int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder):
            if error := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, os.strerror(error))
            if time.monotonic() >= limit:
                raise TimeoutError("it acknowledges nothing")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK)

    def _connect(self) -> socket.socket:
        plain = socket.create_connection((self._host, self._port), self._timeout)
        if self._tls is None:
            return plain
        try:
            return self._tls.context().wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise

    def _gone(self, connection: socket.socket) -> bool:
        """Whether the other side closed; what is written into such a connection is lost without a word."""
        connection.setblocking(False)
        try:
            return connection.recv(4096) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            connection.settimeout(self._timeout)
