"""HTTP and HTTPS requests through a tunnel, each step by itself: name, connect, TLS, answer, status (RFC 9110, 9112).

The body is read too, up to a limit: a way that carries small packets and swallows big ones shows there.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

import h11

from holdfast import __version__
from holdfast.probe.course import Course
from holdfast.probe.lookup import address_of
from holdfast.probe.outcome import ProbeFailedError, Stage, milliseconds
from holdfast.probe.place import Place
from holdfast.probe.settings import Fetch

PORTS = {"http": 80, "https": 443}
MOST_BODY = 1 << 20
"""Octets of a body that are read: enough to see whether big packets arrive."""
READ_SIZE = 65536
BAD = 400
"""The first status code that says that something is wrong (RFC 9110 section 15)."""


@dataclass(slots=True)
class Answer:
    """What came back so far."""

    status: int = 0
    octets: int = 0
    complete: bool = False


def objection(url: str) -> str:
    """Say why a URL cannot be fetched; nothing for one that can."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"this is no URL: {error}"
    if parts.scheme not in PORTS:
        return "a URL begins with http:// or https://"
    if parts.username is not None or parts.password is not None:
        return "a URL with a password would stand in logs and listings"
    if not parts.hostname or port == 0:
        return "this URL names no host"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "a URL has no such characters: write them as %XX, and names in their ASCII form (xn--)"
    return ""


async def fetch(what: Fetch, place: Place, course: Course) -> str:
    """Ask for the URL; return what came in words. ProbeFailedError when a step fails, OSError when one is refused."""
    url = urlsplit(what.url)
    trust = _trust(what) if url.scheme == "https" else None
    address = await address_of(str(url.hostname), what.server, place, course)
    course.enter(Stage.CONNECT)
    opened = await place.connect(socket.SOCK_STREAM, address, url.port or PORTS[url.scheme])
    course.done()
    reader, writer = await _converse(url, trust, opened, course)
    try:
        answer = await _request(url, reader, writer, course)
    finally:
        writer.transport.abort()
    return _judge(what, address, answer, course)


async def _converse(
    url: SplitResult, trust: ssl.SSLContext | None, opened: socket.socket, course: Course
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if trust is None:
        return await asyncio.open_connection(sock=opened)
    course.enter(Stage.TLS)
    try:
        streams = await asyncio.open_connection(sock=opened, ssl=trust, server_hostname=url.hostname)
    except ssl.SSLCertVerificationError as error:
        what = f"the certificate of {url.hostname} is not believed: {error.verify_message}"
        raise ProbeFailedError(Stage.TLS, what) from error
    course.done()
    return streams


def _trust(what: Fetch) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if what.ca_file is None else str(what.ca_file))
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "it holds no certificates"
        raise ProbeFailedError(Stage.HOST, f"{what.ca_file} cannot be used: {why}") from error
    if not what.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _request(
    url: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, course: Course
) -> Answer:
    course.enter(Stage.ANSWER)
    connection, answer = h11.Connection(h11.CLIENT), Answer()
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = [("Host", url.netloc), ("User-Agent", f"holdfast/{__version__}"), ("Connection", "close")]
    for event in (h11.Request(method="GET", target=target, headers=headers), h11.EndOfMessage()):
        writer.write(connection.send(event) or b"")
    try:
        while not answer.complete and answer.octets < MOST_BODY:
            came = connection.next_event()
            if came is h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_SIZE))
            else:
                _take(came, answer, course)
    except h11.RemoteProtocolError as error:
        raise ProbeFailedError(Stage.ANSWER, f"{_so_far(answer)}, and then what is not HTTP: {error}") from error
    course.done()
    return answer


def _take(came: object, answer: Answer, course: Course) -> None:
    if isinstance(came, h11.Response):
        answer.status = came.status_code
    elif isinstance(came, h11.Data):
        answer.octets += len(came.data)
    elif isinstance(came, (h11.EndOfMessage, h11.ConnectionClosed)):
        answer.complete = True
    if answer.status:
        course.note = f"{_so_far(answer)}, then nothing: big packets may not pass (MTU)"


def _so_far(answer: Answer) -> str:
    return f"status {answer.status} and {answer.octets} octets came" if answer.status else "no answer came"


def _judge(what: Fetch, address: str, answer: Answer, course: Course) -> str:
    well = answer.status in what.status if what.status else answer.status < BAD
    code = f"{answer.status} {_phrase(answer.status)}".rstrip()
    if not well:
        course.enter(Stage.STATUS)
        wanted = " or ".join(map(str, what.status)) or f"below {BAD}"
        raise ProbeFailedError(Stage.STATUS, f"{address} answered {code}, expected {wanted}")
    steps = ", ".join(f"{name} {milliseconds(took)}" for name, took in course.steps.items())
    return f"{address} answered {code}, {answer.octets} octets ({steps})"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
