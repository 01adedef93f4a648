"""A real try at a server, as a client makes it: connect, introduce, call, and LCP over GRE; then a polite goodbye.

An open port says nothing about GRE, so the call is made and one Configure-Request sent through it. Nobody logs in.
The protocol is that of `holdfast.control` and `holdfast.gre`; what is here are the sockets and the clock.
"""

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address

from holdfast.control.codes import CONTROL_PORT, Role
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine
from holdfast.errors import DisconnectReason
from holdfast.events import CallCleared, CallEstablished, CallRefused, ControlClosed, ControlEstablished, Event
from holdfast.gre import codec
from holdfast.ppp import framing
from holdfast.ppp.authentication_types import method_from_option
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import LcpOption
from holdfast.ppp.packet import Packet, parse
from holdfast.wire.errors import MalformedError
from holdfast.wire.tlv import Option, write_options

READ_SIZE = 65536
REPEAT = 1.0
"""Seconds between Configure-Requests."""
ANSWERS = frozenset({Code.CONFIGURE_ACK, Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT})
IP_MTU = 14
"""linux/in.h."""
MTU_WISH = 1400


class Tcp(StrEnum):
    """How the connection came out."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"


@dataclass(slots=True)
class Reach:
    """What a try showed, as far as it got; what was not tried or not seen is None."""

    server: IPv4Address
    tcp: Tcp = Tcp.SILENT
    trouble: str = ""
    path_mtu: int | None = None
    introduced: bool = False
    peer: str = ""
    """What the server said of itself."""
    refusal: str = ""
    """What it said against the connection or the call."""
    called: bool = False
    gre_tried: bool = False
    gre_trouble: str = ""
    gre_heard: int = 0
    """Packets of the call that came."""
    gre_answered: bool = False
    """Whether one of ours was confirmed or answered."""
    methods: list[str] = field(default_factory=list)
    """What the server's LCP asks for as proof of who we are, in its order."""


def resolve(host: str) -> list[IPv4Address]:
    """Return the IPv4 addresses of a name, as the system's resolver says. OSError when there is none."""
    found = socket.getaddrinfo(host, CONTROL_PORT, socket.AF_INET, socket.SOCK_STREAM)
    return [IPv4Address(address[0]) for *_, address in found]


def try_server(server: IPv4Address, *, call: bool = True, port: int = CONTROL_PORT, patience: float = 5.0) -> Reach:
    """Try a server and say what came back. `call`: go on to a call and GRE; each step waits `patience` seconds."""
    reach = Reach(server)
    with ExitStack() as stack:
        connection = _connect(reach, port, patience, stack)
        if connection is not None:
            _Attempt(reach, connection, patience, stack).run(call=call)
    return reach


def _connect(reach: Reach, port: int, patience: float, stack: ExitStack) -> socket.socket | None:
    connection = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    connection.settimeout(patience)
    try:
        connection.connect((str(reach.server), port))
    except ConnectionRefusedError as error:
        reach.tcp, reach.trouble = Tcp.REFUSED, error.strerror or ""
    except TimeoutError:
        reach.tcp, reach.trouble = Tcp.SILENT, f"no answer in {patience:g} s"
    except OSError as error:
        reach.tcp, reach.trouble = Tcp.UNREACHABLE, error.strerror or str(error)
    else:
        reach.tcp = Tcp.OPEN
        reach.path_mtu = connection.getsockopt(socket.IPPROTO_IP, IP_MTU)
        return connection
    return None


class _Attempt:
    """One conversation on an open connection."""

    def __init__(self, reach: Reach, connection: socket.socket, patience: float, stack: ExitStack) -> None:
        self._reach, self._connection, self._patience, self._stack = reach, connection, patience, stack
        self._machine = ConnectionMachine(Role.PNS, ControlConfig(setup_timeout=patience, reply_timeout=patience))
        self._call_id = int.from_bytes(os.urandom(2)) or 1
        self._peer_call_id = 0
        self._gre: socket.socket | None = None
        self._sequence = 0
        self._over = False

    def run(self, *, call: bool) -> None:
        self._machine.open(time.monotonic())
        self._until(lambda: self._reach.introduced)
        if self._reach.introduced and call and not self._over:
            self._open_gre()
            self._machine.place_call(self._call_id, 1, time.monotonic())
            self._until(lambda: self._reach.called or bool(self._reach.refusal))
            if self._reach.called and self._gre is not None:
                self._listen()
        self._say_goodbye()

    def _open_gre(self) -> None:
        try:
            self._gre = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE))
            self._gre.connect((str(self._reach.server), 0))
        except OSError as error:
            self._reach.gre_trouble, self._gre = error.strerror or str(error), None

    def _until(self, done: Callable[[], bool], *, repeat: Callable[[], None] | None = None) -> None:
        """Exchange until something is so, the connection is over, or patience ends."""
        end, again = time.monotonic() + self._patience, 0.0
        while not done() and not self._over and (now := time.monotonic()) < end:
            if repeat is not None and now >= again:
                repeat()
                again = now + REPEAT
            self._exchange(min(end, again) - now if repeat is not None else end - now)

    def _exchange(self, patience: float) -> None:
        self._send()
        sockets = [one for one in (self._connection, self._gre) if one is not None]
        for ready in select.select(sockets, [], [], max(0.0, patience))[0]:
            if ready is self._gre:
                self._take_gre(ready)
            else:
                self._take_control()
        self._machine.handle_timer(time.monotonic())
        self._send()

    def _send(self) -> None:
        with suppress(OSError):
            for octets in self._machine.outgoing():
                self._connection.sendall(octets)
        for event in self._machine.events():
            self._note(event)
        self._over = self._over or self._machine.closed

    def _take_control(self) -> None:
        try:
            octets = self._connection.recv(READ_SIZE)
        except OSError as error:
            octets, self._reach.trouble = b"", error.strerror or str(error)
        if octets:
            self._machine.receive(octets, time.monotonic())
        else:
            self._machine.connection_lost(time.monotonic(), "the server closed the connection")

    def _note(self, event: Event) -> None:
        reach = self._reach
        if isinstance(event, ControlEstablished):
            reach.introduced = True
            reach.peer = " ".join(filter(None, (event.vendor, event.host_name)))
        elif isinstance(event, CallEstablished):
            reach.called, self._peer_call_id = True, event.peer_call_id
        elif isinstance(event, CallRefused):
            reach.refusal = event.detail or f"result {event.result_code}, error {event.error_code}"
        elif isinstance(event, CallCleared) and event.by_peer:
            self._over = True
        elif isinstance(event, ControlClosed) and not reach.called:
            reach.refusal = reach.refusal or event.detail

    # --- GRE -----------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        self._reach.gre_tried = True
        self._until(lambda: self._reach.gre_answered and bool(self._reach.methods), repeat=self._ask)

    def _ask(self) -> None:
        options = write_options([Option(LcpOption.MRU, MTU_WISH.to_bytes(2))])
        request = Packet(Code.CONFIGURE_REQUEST, 1 + self._sequence % 255, options)
        frame = framing.ADDRESS_AND_CONTROL + framing.join(Protocol.LCP, request.encode())
        octets = codec.build(codec.GrePacket(self._peer_call_id, self._sequence, None, frame))
        self._sequence += 1
        try:
            if self._gre is not None:
                self._gre.send(octets)
        except OSError as error:
            self._reach.gre_trouble = error.strerror or str(error)

    def _take_gre(self, gre: socket.socket) -> None:
        try:
            octets = gre.recv(READ_SIZE)
        except OSError as error:
            # What ICMP said about a packet of ours.
            self._reach.gre_trouble = error.strerror or str(error)
            return
        packet = codec.parse(octets[(octets[0] & 0x0F) * 4 :]) if octets else None
        if packet is None or packet.call_id != self._call_id:
            return
        self._reach.gre_heard += 1
        if packet.acknowledgment is not None and packet.acknowledgment < self._sequence:
            self._reach.gre_answered = True
        for lcp in _lcp(packet.payload):
            self._take_lcp(lcp)

    def _take_lcp(self, packet: Packet) -> None:
        if packet.code in ANSWERS:
            self._reach.gre_answered = True
        elif packet.code == Code.CONFIGURE_REQUEST:
            with suppress(MalformedError):
                asked = [one.data for one in packet.options() if one.type == LcpOption.AUTHENTICATION_PROTOCOL]
                methods = [str(method_from_option(value) or value.hex()) for value in asked]
                self._reach.methods += [name for name in methods or ["none"] if name not in self._reach.methods]

    def _say_goodbye(self) -> None:
        now = time.monotonic()
        if self._reach.called:
            self._machine.clear_call(self._call_id, now)
        if self._reach.introduced and not self._over:
            self._machine.close(DisconnectReason.USER_REQUEST, now)
        self._until(lambda: self._machine.closed)


def _lcp(frame: bytes) -> Iterator[Packet]:
    found = framing.split(frame)
    if found is not None and found.protocol == Protocol.LCP:
        with suppress(MalformedError):
            yield parse(found.information)
