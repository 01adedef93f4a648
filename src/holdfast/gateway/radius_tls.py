"""RADIUS over TLS (RFC 6614): one connection is one lane, opened when it is needed and again when it broke."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from holdfast.radius.stream import PacketStream
from holdfast.radius.watchdog import Lane
from holdfast.wire.errors import MalformedError

CONNECT_PATIENCE = 5.0
"""Seconds for TCP and TLS together."""
SETTLING = 0.5
"""Seconds in which a server may find fault with our certificate, when it is only tried out."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two attempts to connect; each pause is twice the one before."""


@dataclass(frozen=True, slots=True)
class TlsWay:
    """How a server is reached. `name`: what its certificate must say, a host name or an address."""

    context: ssl.SSLContext
    name: str


class Owner(Protocol):
    """Whoever drives the exchange."""

    def received(self, server: int, lane: int, octets: bytes) -> None:
        """Something came on a lane."""

    def connected(self, server: int, lane: int) -> None:
        """A connection is there."""

    def disconnected(self, server: int, lane: int, why: str, *, was_open: bool) -> None:
        """A connection is gone, or never came."""


class TlsLane(asyncio.Protocol):
    """One connection at a time. What is sent before it is there waits for it, and goes with it if it never comes."""

    port = 0
    """No server tells connections apart by their port."""

    def __init__(self, owner: Owner, lane: Lane, address: tuple[str, int], way: TlsWay) -> None:
        self._owner, self._lane, self._address, self._way = owner, lane, address, way
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._stream = PacketStream()
        self._failures = 0
        self._why = ""
        self._closed = False

    def send(self, octets: bytes) -> None:
        """Send a packet; connect first if need be. What becomes of it is told by the connection's end."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)
            return
        self._early.append(octets)
        if self._transport is None and self._opening is None:
            self._opening = self._loop.create_task(self._open())

    def reset(self, why: str = "the server was silent or not to be trusted") -> None:
        """Close the connection; the next packet opens another one."""
        if self._transport is not None:
            self._why = self._why or why
            self._transport.abort()

    def close(self) -> None:
        """Close for good."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()

    # --- connecting ----------------------------------------------------------------------------------------

    async def _open(self) -> None:
        if self._failures:
            await asyncio.sleep(min(FIRST_PAUSE * 2.0 ** (self._failures - 1), LONGEST_PAUSE))
        try:
            await connect(lambda: self, self._address, self._way)
        except OSError as error:
            self._opening = None
            self._failures += 1
            self._gone(words_for(error, connecting=True), was_open=False)

    def _gone(self, why: str, *, was_open: bool) -> None:
        """What was not sent yet the exchange sends anew, with identifiers of the next connection."""
        self._early.clear()
        if not self._closed:
            self._owner.disconnected(*self._lane, why, was_open=was_open)

    # --- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is there, and the server is who it should be."""
        self._transport, self._opening = cast("asyncio.Transport", transport), None
        self._stream, self._why = PacketStream(), ""
        # until it says something, the next pause grows: one that accepts and hangs up at once is no server
        self._failures += 1
        early, self._early = self._early, []
        for octets in early:
            self._transport.write(octets)  # each in a TLS record of its own: FreeRADIUS 3.2.1 reads one packet of each
        self._owner.connected(*self._lane)

    def data_received(self, data: bytes) -> None:
        """Some octets came; whole packets are passed on."""
        try:
            packets = self._stream.feed(data)
        except MalformedError as error:
            self.reset(f"what comes over TLS is no RADIUS: {error}")
            return
        for packet in packets:
            self._failures = 0
            self._owner.received(*self._lane, packet)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._transport = None
        fallback = words_for(exc) if isinstance(exc, OSError) else "the server closed the connection"
        self._gone(self._why or fallback, was_open=True)


async def connect(
    factory: Callable[[], asyncio.BaseProtocol], address: tuple[str, int], way: TlsWay
) -> asyncio.BaseTransport:
    """Connect to a server and prove each side to the other. OSError (of which `ssl.SSLError` is one) when it fails."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_PATIENCE):
        transport, _ = await loop.create_connection(
            factory, *address, ssl=way.context, server_hostname=way.name, ssl_handshake_timeout=CONNECT_PATIENCE
        )
    return transport


async def try_out(address: tuple[str, int], way: TlsWay) -> tuple[bool, str]:
    """Connect, wait a moment whether the server stays, and hang up; return whether it went well, and what to say."""
    visitor = _Visitor()
    try:
        transport = await connect(lambda: visitor, address, way)
    except OSError as error:
        return False, words_for(error, connecting=True)
    try:
        # with TLS 1.3 a server looks at the client's certificate after the client thinks that all is done
        await asyncio.wait_for(visitor.gone.wait(), SETTLING)
    except TimeoutError:
        version, cipher = transport.get_extra_info("ssl_object").version(), transport.get_extra_info("cipher")[0]
        return True, f"the server is {way.name}, and takes our certificate ({version}, {cipher})"
    finally:
        transport.close()
    return False, words_for(visitor.error or ConnectionResetError(), connecting=True)


class _Visitor(asyncio.Protocol):
    """Looks whether it is thrown out."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.error: OSError | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """It was."""
        self.error = exc if isinstance(exc, OSError) else None
        self.gone.set()


def words_for(error: OSError, *, connecting: bool = False) -> str:
    """Return what went wrong, for people."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the server's certificate is not accepted: {error.verify_message.rstrip('.')}"
        case ssl.SSLError():
            return f"TLS failed: {(error.reason or str(error)).lower().replace('_', ' ')}"
        case TimeoutError():
            return f"no TLS connection in {CONNECT_PATIENCE:g} s"
        case ConnectionRefusedError():
            return "nobody listens there"
        case ConnectionError():
            doubt = " while TLS began: does it accept this gateway's certificate?" if connecting else ""
            return f"the server hung up{doubt}"
    return error.strerror or str(error) or type(error).__name__
