"""Names asked of a name server through a tunnel (RFC 1035), by UDP, and by TCP where the answer is too long for it."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from ipaddress import IPv4Address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from holdfast.probe.course import Course
from holdfast.probe.outcome import ProbeFailedError, Stage, milliseconds, refusal
from holdfast.probe.place import Place
from holdfast.probe.settings import Lookup

PORT = 53
READ_SIZE = 65535
AGAIN = 1.0
"""Seconds after which a question that may have been lost is asked again, and of the next server."""
SHOWN = 4
"""Addresses of an answer that are shown."""


async def look_up(what: Lookup, place: Place, course: Course) -> str:
    """Ask for the addresses of a name; return what was answered, in words. ProbeFailedError when there are none."""
    course.enter(Stage.NAME)
    servers = [what.server] if what.server else list(place.servers)
    if not servers:
        raise ProbeFailedError(Stage.NAME, "no name server is known inside the tunnel: name one for the probe")
    server, found = await _ask(what.name, servers, place)
    course.done()
    shown = ", ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
    return f"{server} answered in {milliseconds(course.steps[Stage.NAME])}: {shown}"


async def address_of(host: str, server: str, place: Place, course: Course) -> str:
    """Return an IPv4 address of a host name or literal, found as a program that uses the tunnel would find it."""
    try:
        return str(IPv4Address(host))
    except ValueError:
        pass
    course.enter(Stage.NAME)
    servers = [server] if server else list(place.servers)
    found = (await _ask(host, servers, place))[1] if servers else await _ask_this_host(host)
    course.done()
    return found[0]


async def _ask_this_host(host: str) -> Sequence[str]:
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(host, None, family=socket.AF_INET)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name"
        raise ProbeFailedError(Stage.NAME, f"this host finds no address of {host}: {why}") from error
    return [str(info[4][0]) for info in infos]


async def _ask(host: str, servers: Sequence[str], place: Place) -> tuple[str, Sequence[str]]:
    """Return the server that answered, and the addresses."""
    try:
        query = dns.message.make_query(dns.name.from_text(host), dns.rdatatype.A)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ProbeFailedError(Stage.NAME, f"{host} cannot be a name: {error}") from error
    reply = None
    for server in _turns(servers):
        try:
            async with asyncio.timeout(AGAIN):
                reply = await _by_udp(query, server, place)
            break
        except TimeoutError:
            continue
        except OSError as error:
            if len(servers) == 1:
                raise ProbeFailedError(Stage.NAME, f"the name server {server}: {refusal(error)}") from error
            await asyncio.sleep(AGAIN / 4)
    assert reply is not None, "the turns never end"
    if reply.flags & dns.flags.TC:
        reply = await _by_tcp(query, server, place)
    return server, _addresses(host, server, reply)


def _turns(servers: Sequence[str]) -> Iterator[str]:
    while True:
        yield from servers


def _addresses(host: str, server: str, reply: dns.message.Message) -> Sequence[str]:
    code = reply.rcode()
    if code != dns.rcode.NOERROR:
        raise ProbeFailedError(Stage.NAME, f"{server} says of {host}: {dns.rcode.to_text(code)}{_meaning(code)}")
    records = (record for entry in reply.answer if entry.rdtype == dns.rdatatype.A for record in entry)
    found = [record.to_text() for record in records]
    if not found:
        raise ProbeFailedError(Stage.NAME, f"{server} knows {host}, but no IPv4 address of it")
    return found


def _meaning(code: int) -> str:
    meant = {dns.rcode.NXDOMAIN: "there is no such name", dns.rcode.REFUSED: "it does not answer us"}
    return f" ({meant[dns.rcode.Rcode(code)]})" if code in meant else ""


async def _by_udp(query: dns.message.Message, server: str, place: Place) -> dns.message.Message:
    """Ask once, and wait for the answer to just this question; whatever else comes is passed over."""
    loop = asyncio.get_running_loop()
    with closing(await place.connect(socket.SOCK_DGRAM, server, PORT)) as opened:
        await loop.sock_sendall(opened, query.to_wire())
        while True:
            reply = _read(query, await loop.sock_recv(opened, READ_SIZE))
            if reply is not None:
                return reply


async def _by_tcp(query: dns.message.Message, server: str, place: Place) -> dns.message.Message:
    try:
        reader, writer = await asyncio.open_connection(sock=await place.connect(socket.SOCK_STREAM, server, PORT))
    except OSError as error:
        raise ProbeFailedError(Stage.NAME, f"the name server {server} by TCP: {refusal(error)}") from error
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2) + wire)
        reply = _read(query, await reader.readexactly(int.from_bytes(await reader.readexactly(2))))
    except (asyncio.IncompleteReadError, OSError) as error:
        raise ProbeFailedError(Stage.NAME, f"the name server {server} broke off its answer") from error
    finally:
        writer.transport.abort()
    if reply is None:
        raise ProbeFailedError(Stage.NAME, f"what the name server {server} answers by TCP is no answer")
    return reply


def _read(query: dns.message.Message, data: bytes) -> dns.message.Message | None:
    """Read an answer; None for what is none, or answers something else."""
    try:
        reply = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError):
        return None
    return reply if query.is_response(reply) else None
