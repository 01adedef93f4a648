"""The door through which Prometheus reads: one small page over HTTP/1.1, one request a connection."""

import asyncio
import contextlib
import hmac
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from holdfast.errors import HostError
from holdfast.secret import Secret

MAX_REQUEST = 8192
REQUEST_TIMEOUT = 5.0
ANSWER_TIMEOUT = 30.0
MAX_CALLERS = 16
"""Requests at a time; a scraper is one, and a stranger must not fill the gateway's memory."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Page = Callable[[], Awaitable[bytes]]


class MetricsEndpoint:
    """Serves `GET /metrics`. With a token, only to who sends `Authorization: Bearer TOKEN`."""

    def __init__(self, page: Page, token: Secret | None = None) -> None:
        self._page = page
        self._token = token
        self._callers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port (of interest when `port` is 0). OSError is what the kernel says."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_REQUEST)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Stop listening, and send those away who have not been answered yet."""
        if self._server is not None:
            self._server.close()
        for writer in self._callers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._callers) >= MAX_CALLERS:
            writer.transport.abort()
            return
        self._callers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
                status, body = await self._answer(reader)
                writer.write(_response(status, body))
                async with asyncio.timeout(ANSWER_TIMEOUT):
                    await writer.drain()
        finally:
            self._callers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, bytes]:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b""
        request, _, fields = head.partition(b"\r\n")
        method, _, target = request.partition(b" ")
        if method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, b""
        if not self._may_read(fields):
            return HTTPStatus.UNAUTHORIZED, b""
        if target.partition(b" ")[0].partition(b"?")[0] != b"/metrics":
            return HTTPStatus.NOT_FOUND, b"the metrics are at /metrics\n"
        return HTTPStatus.OK, await self._page()

    def _may_read(self, fields: bytes) -> bool:
        if self._token is None:
            return True
        for line in fields.split(b"\r\n"):
            name, _, value = line.partition(b":")
            scheme, _, offered = value.strip().partition(b" ")
            if name.lower() == b"authorization" and scheme.lower() == b"bearer":
                return hmac.compare_digest(offered.strip(), self._token.reveal())
        return False


async def serve_metrics(page: Page, host: str, port: int, token_file: Path | None) -> MetricsEndpoint:
    """Open the door and return it. HostError when that is not possible, or the token cannot be read."""
    endpoint = MetricsEndpoint(page, None if token_file is None else read_token(token_file))
    try:
        await endpoint.start(host, port)
    except OSError as error:
        raise HostError(
            f"cannot serve metrics: {os.strerror(error.errno or 0)}",
            where=f"{host}:{port}",
            fix="Another program may hold the port, or the address is not this machine's: ss -ltnp says.",
        ) from error
    return endpoint


def read_token(path: Path) -> Secret:
    """Return the first line of a file. HostError when there is none."""
    try:
        token = path.read_bytes().partition(b"\n")[0].strip()
    except OSError as error:
        raise HostError(f"cannot read the token: {error.strerror}", where=str(path)) from error
    if not token:
        raise HostError("the first line holds no token", where=str(path), fix="Write one: openssl rand -hex 32")
    return Secret(token)


def _response(status: HTTPStatus, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if status is HTTPStatus.UNAUTHORIZED:
        lines.append('WWW-Authenticate: Bearer realm="holdfast"')
    return "\r\n".join([*lines, "", ""]).encode() + body
