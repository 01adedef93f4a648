"""Small receivers for the tests of sinks: TCP, TLS, UDP, HTTP on loopback."""

import datetime as dt
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_FIRST = (
    '{"ts":"2026-03-01T10:00:00.000+01:00","event":"AUTH_FAIL","severity":"warning","v":1,"session":"5e55",'
    '"user":"zoë","result_code":691,"detail":"wrong password","seq":1,"chain":"00"}\n'
)
_SECOND = (
    '{"ts":"2026-03-01T10:00:01.500+01:00","event":"IP_UP","severity":"info","v":1,"dns":["10.0.0.1","10.0.0.2"],'
    '"by_peer":true,"duration":1.5,"seq":2,"chain":"01"}\n'
)
LINES = [_FIRST.encode(), _SECOND.encode()]
SECONDS = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC).timestamp()


def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


class Tcp:
    """Takes connections and keeps what comes on them."""

    def __init__(self, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.received = bytearray()
        self.connections: list[socket.socket] = []
        self._context = context
        self._server = socket.create_server(("127.0.0.1", port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self.connections.append(connection)
            while octets := connection.recv(65536):
                self.received += octets
        except OSError:
            return  # a client that does not trust us, or one that was dropped
        finally:
            connection.close()

    def drop(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.drop()


@contextmanager
def tcp(context: ssl.SSLContext | None = None) -> Iterator[Tcp]:
    """A receiver over TCP or TLS as long as the block."""
    receiver = Tcp(context)
    try:
        yield receiver
    finally:
        receiver.close()


@contextmanager
def udp() -> Iterator[socket.socket]:
    """A receiver over UDP as long as the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        yield receiver


class Http:
    """Takes POST requests and answers as it is told."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, Any]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers), body))
                status, answer = outer.answers.pop(0) if outer.answers else (200, {})
                octets = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, *_: Any) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def web(context: ssl.SSLContext | None = None) -> Iterator[Http]:
    """A receiver over HTTP or HTTPS as long as the block."""
    receiver = Http(context)
    try:
        yield receiver
    finally:
        receiver.close()


def certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1; return its file and what a server needs."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1")
    subprocess.run(
        ("openssl", "req", "-x509", *kind, "-keyout", key, "-out", cert, *names),
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
