"""Small questions asked inside a tunnel: a ping, and the routes that the server knows (DHCPINFORM).

Questions go out through the engine; answers are heard on raw sockets bound to the tunnel's interface, so that
neither a DHCP client of this host nor its firewall for ports stands in the way.
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address

from holdfast.dialer.dhcp import CLIENT_PORT, SERVER_PORT, Answer, inform, read_answer
from holdfast.network.packets import echo_request, read_closed_port, read_datagram, read_echo_reply, udp_packet

READ_SIZE = 65536
DHCP_WAITS = (1.0, 2.0, 4.0)
"""Seconds to wait for an answer to each DHCPINFORM, the last try included (RFC 2131 section 4.1 in short)."""

DNS_PORT = 53
ROOT_QUESTION = bytes.fromhex("000001000001000000000000 00 0002 0001")
"""A DNS question for the name servers of the root (RFC 1035 section 4): whoever serves names answers something."""
FIRST_OWN_PORT = 0xC000
"""Of the ports that RFC 6335 section 6 leaves to anybody."""

Send = Callable[[bytes], None]


class InnerSocket:
    """Hears ICMP and UDP that come out of one tunnel."""

    def __init__(self, interface: str, local: IPv4Address, send: Send) -> None:
        """OSError when the interface is gone or raw sockets are not allowed."""
        self._loop = asyncio.get_running_loop()
        self._local, self._send = local, send
        self._identifier = secrets.randbelow(0xFFFF)
        self._sequence = 0
        self._pings: dict[int, asyncio.Future[None]] = {}
        self._knock: tuple[IPv4Address, int, asyncio.Future[None]] | None = None
        self._dhcp: tuple[int, asyncio.Future[Answer]] | None = None
        self._sockets: list[socket.socket] = []
        try:
            self._listen(interface, socket.IPPROTO_ICMP, self._heard_icmp)
            self._listen(interface, socket.IPPROTO_UDP, self._heard_udp)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Stop hearing; questions that wait get no answer."""
        for opened in self._sockets:
            self._loop.remove_reader(opened)
            opened.close()
        self._sockets.clear()

    async def ping(self, address: IPv4Address, patience: float = 1.0) -> float | None:
        """Return the round-trip time to `address` in seconds, None when no answer came within `patience`."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        answered = self._pings[self._sequence] = self._loop.create_future()
        began = self._loop.time()
        sequence = self._sequence
        try:
            self._send(echo_request(self._local, address, self._identifier, sequence))
            async with asyncio.timeout(patience):
                await answered
        except TimeoutError:
            return None
        finally:
            self._pings.pop(sequence, None)
        return self._loop.time() - began

    async def first_answer(self, address: IPv4Address, pauses: Sequence[float]) -> float | None:
        """Ping again and again, so many seconds apart, until any ping is answered; return its round-trip time."""
        waiting: set[asyncio.Task[float | None]] = set()
        try:
            for pause in pauses:
                waiting.add(self._loop.create_task(self.ping(address, sum(pauses))))
                answered, waiting = await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                took = next((took for one in answered if (took := one.result()) is not None), None)
                if took is not None:
                    return took
            return None
        finally:
            for one in waiting:
                one.cancel()

    async def knock(self, address: IPv4Address, port: int, patience: float = 1.0) -> float | None:
        """Return after how many seconds `address` answered a UDP datagram, None when it did not within `patience`.

        That the port is closed is an answer too: someone lives there.
        """
        answered: asyncio.Future[None] = self._loop.create_future()
        self._knock = (address, port, answered)
        began = self._loop.time()
        try:
            payload = ROOT_QUESTION if port == DNS_PORT else bytes(len(ROOT_QUESTION))
            self._send(udp_packet(self._local, address, self._own_port, port, payload))
            async with asyncio.timeout(patience):
                await answered
        except TimeoutError:
            return None
        finally:
            self._knock = None
        return self._loop.time() - began

    @property
    def _own_port(self) -> int:
        return FIRST_OWN_PORT | self._identifier

    def _answered_knock(self, source: IPv4Address, own_port: int, port: int | None = None) -> None:
        """`port`: whence the answer came; None: the host says that it is closed."""
        if self._knock is None:
            return
        address, asked, waiting = self._knock
        if (source, own_port) == (address, self._own_port) and port in {None, asked} and not waiting.done():
            waiting.set_result(None)

    async def ask_routes(self) -> Answer | None:
        """Return the server's answer to a DHCPINFORM, None when it gives none."""
        transaction = secrets.randbits(32)
        answered: asyncio.Future[Answer] = self._loop.create_future()
        self._dhcp = (transaction, answered)
        for wait in DHCP_WAITS:
            self._send(inform(self._local, transaction))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    return await asyncio.shield(answered)
        return None

    def _listen(self, interface: str, protocol: int, heard: Callable[[bytes], None]) -> None:
        opened = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        self._sockets.append(opened)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self._loop.add_reader(opened, self._read, opened, heard)

    def _read(self, opened: socket.socket, heard: Callable[[bytes], None]) -> None:
        with contextlib.suppress(OSError):
            heard(opened.recv(READ_SIZE))

    def _heard_icmp(self, packet: bytes) -> None:
        closed = read_closed_port(packet)
        if closed is not None:
            self._answered_knock(*closed)
        reply = read_echo_reply(packet)
        if reply is None or reply.identifier != self._identifier:
            return
        waiting = self._pings.get(reply.sequence)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _heard_udp(self, packet: bytes) -> None:
        datagram = read_datagram(packet)
        if datagram is None:
            return
        self._answered_knock(datagram.source, datagram.destination_port, datagram.source_port)
        if self._dhcp is None:
            return
        transaction, waiting = self._dhcp
        if (datagram.source_port, datagram.destination_port) != (SERVER_PORT, CLIENT_PORT) or waiting.done():
            return
        answer = read_answer(datagram.payload, transaction)
        if answer is not None:
            waiting.set_result(answer)
