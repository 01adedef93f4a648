"""Captures made by the tests themselves: a client, a server, a clock, and what they say to each other.

A scene writes real frames (Ethernet, IPv4, TCP with checksums, enhanced GRE, ICMP, UDP), so that a test goes through
the reader, the index and everything above it.
"""

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from holdfast.capture.case import Case, build
from holdfast.capture.diagnosis import Diagnosis
from holdfast.capture.findings.base import Finding
from holdfast.capture.findings.catalogue import judge
from holdfast.capture.reading import read
from holdfast.control.messages import (
    CallClearRequest,
    CallDisconnectNotify,
    ControlMessage,
    OutgoingCallReply,
    OutgoingCallRequest,
    SetLinkInfo,
    StartControlConnectionReply,
    StartControlConnectionRequest,
)
from holdfast.ppp.framing import Protocol
from holdfast.ppp.packet import Packet
from holdfast.wire.tlv import Option, write_options

CLIENT, SERVER, ROUTER = "192.0.2.10", "198.51.100.20", "203.0.113.1"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP, GRE, ICMP = 6, 17, 47, 1
MPPE_128 = 0x01000040
CHAP_V2 = b"\xc2\x23\x81"


def checksum(octets: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    padded = octets + b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(source: str, destination: str, protocol: int, payload: bytes, *, number: int = 0, ttl: int = 64) -> bytes:
    """Return an IPv4 packet."""
    addresses = IPv4Address(source).packed + IPv4Address(destination).packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), number & 0xFFFF, 0x4000, ttl, protocol, 0) + addresses
    return head[:10] + checksum(head).to_bytes(2) + head[12:] + payload


def ethernet(packet: bytes) -> bytes:
    """Return an Ethernet frame with a packet in it."""
    return bytes(12) + b"\x08\x00" + packet


def gre(call_id: int, ppp: bytes, sequence: int | None, acknowledgement: int | None = None) -> bytes:
    """Return an enhanced GRE packet (RFC 2637 section 4.1)."""
    flags = 0x2001 | (0x1000 if sequence is not None else 0) | (0x0080 if acknowledgement is not None else 0)
    octets = struct.pack("!HHHH", flags, 0x880B, len(ppp), call_id)
    for number in (sequence, acknowledgement):
        octets += b"" if number is None else struct.pack("!I", number)
    return octets + ppp


def pcap(frames: list[tuple[float, bytes]], link_type: int = 1, snap: int = 262144) -> bytes:
    """Return a capture in the classic format, of the first `snap` octets of each frame."""
    pieces = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, link_type)]
    for time, frame in frames:
        second, micro = divmod(round(time * 1_000_000), 1_000_000)
        pieces += (struct.pack("<IIII", second, micro, min(len(frame), snap), len(frame)), frame[:snap])
    return b"".join(pieces)


@dataclass
class Scene:
    """A script for a capture. `up` means from the client to the server. Times pass by `wait` and by a little each."""

    client: str = CLIENT
    server: str = SERVER
    port: int = 40000
    server_port: int = 1723
    client_call: int = 100
    server_call: int = 200
    now: float = 1_700_000_000.0
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    tick: float = 0.01
    numbers: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """The next GRE sequence numbers."""
    tcp_numbers: dict[bool, int] = field(default_factory=lambda: {True: 1000, False: 5000})
    identifiers: int = 0
    _packet: int = 0

    # --- the clock and the wire -------------------------------------------------------------------------------

    def wait(self, seconds: float) -> "Scene":
        """Let time pass."""
        self.now += seconds
        return self

    def frame(self, octets: bytes) -> "Scene":
        """Put a frame on the wire."""
        self.frames.append((self.now, octets))
        self.now += self.tick
        return self

    def packet(self, up: bool, protocol: int, payload: bytes, **more: int) -> "Scene":
        """Send an IP packet between the two."""
        self._packet += 1
        source, destination = (self.client, self.server) if up else (self.server, self.client)
        return self.frame(ethernet(ip(source, destination, protocol, payload, **{"number": self._packet, **more})))

    def again(self) -> "Scene":
        """Put the last frame on the wire once more, the very same octets."""
        return self.frame(self.frames[-1][1])

    # --- TCP --------------------------------------------------------------------------------------------------

    def tcp(self, up: bool, flags: int, payload: bytes = b"", sequence: int | None = None) -> "Scene":
        """Send a segment; its numbers follow from what was sent before."""
        ports = (self.port, self.server_port) if up else (self.server_port, self.port)
        number = self.tcp_numbers[up] if sequence is None else sequence
        head = struct.pack("!HHIIBBHHH", *ports, number, self.tcp_numbers[not up], 0x50, flags, 8192, 0, 0)
        source, destination = (self.client, self.server) if up else (self.server, self.client)
        pseudo = IPv4Address(source).packed + IPv4Address(destination).packed
        total = checksum(pseudo + struct.pack("!BBH", 0, TCP, len(head) + len(payload)) + head + payload)
        if sequence is None:
            self.tcp_numbers[up] += len(payload) + bool(flags & (SYN | FIN))
        return self.packet(up, TCP, head[:16] + total.to_bytes(2) + head[18:] + payload)

    def handshake(self) -> "Scene":
        """Open the TCP connection."""
        return self.tcp(True, SYN).tcp(False, SYN | ACK).tcp(True, ACK)

    def say(self, up: bool, message: ControlMessage) -> "Scene":
        """Send a control message."""
        return self.tcp(up, PSH | ACK, message.encode())

    def hang_up(self, up: bool) -> "Scene":
        """Close the TCP connection from one side."""
        return self.tcp(up, FIN | ACK).tcp(not up, FIN | ACK).tcp(up, ACK)

    # --- control messages -------------------------------------------------------------------------------------

    def control(self) -> "Scene":
        """Open the control connection."""
        self.handshake()
        self.say(True, StartControlConnectionRequest(0x100, 3, 3, 0, 1, "client", "vendor"))
        return self.say(False, StartControlConnectionReply(0x100, 1, 0, 3, 3, 0, 1, "server", "vendor"))

    def call_request(self) -> "Scene":
        """Ask for a call."""
        return self.say(True, OutgoingCallRequest(self.client_call, 1, 300, 100000000, 3, 3, 64, 0, 0, "", ""))

    def call_reply(self, result: int = 1, error: int = 0) -> "Scene":
        """Answer the request for a call."""
        reply = OutgoingCallReply(self.server_call, self.client_call, result, error, 0, 100000000, 64, 0, 0)
        return self.say(False, reply)

    def call(self) -> "Scene":
        """Open the control connection and a call on it."""
        return self.control().call_request().call_reply()

    def link_info(self, up: bool, send: int, receive: int) -> "Scene":
        """Send Set-Link-Info."""
        return self.say(up, SetLinkInfo(self.server_call if up else self.client_call, send, receive))

    def clear(self, up: bool, result: int = 4) -> "Scene":
        """Clear the call: the client by Call-Clear-Request, the server by Call-Disconnect-Notify."""
        if up:
            return self.say(True, CallClearRequest(self.client_call))
        return self.say(False, CallDisconnectNotify(self.server_call, result, 0, 0, ""))

    # --- GRE and PPP ------------------------------------------------------------------------------------------

    def gre(self, up: bool, ppp: bytes, sequence: int | None = None, acknowledgement: int | None = None) -> "Scene":
        """Send a PPP frame in GRE."""
        if sequence is None:
            sequence = self.numbers[up]
            self.numbers[up] += 1
        call_id = self.server_call if up else self.client_call
        return self.packet(up, GRE, gre(call_id, ppp, sequence, acknowledgement))

    def lose(self, up: bool, count: int = 1) -> "Scene":
        """Lose packets on the way to the capture point."""
        self.numbers[up] += count
        return self

    def ppp(self, up: bool, protocol: int, code: int, data: bytes = b"", identifier: int = 1) -> "Scene":
        """Send a control packet of PPP."""
        return self.gre(up, b"\xff\x03" + protocol.to_bytes(2) + Packet(code, identifier, data).encode())

    def configure(
        self, up: bool, protocol: int, code: int, *options: tuple[int, bytes], identifier: int = 1
    ) -> "Scene":
        """Send a Configure packet with options."""
        data = write_options([Option(kind, value) for kind, value in options])
        return self.ppp(up, protocol, code, data, identifier)

    def agree(self, up: bool, protocol: int, *options: tuple[int, bytes]) -> "Scene":
        """One side asks, the other acknowledges."""
        self.identifiers = self.identifiers % 255 + 1
        self.configure(up, protocol, 1, *options, identifier=self.identifiers)
        return self.configure(not up, protocol, 2, *options, identifier=self.identifiers)

    def lcp(self, authentication: bytes = CHAP_V2) -> "Scene":
        """Open LCP; the server asks for `authentication` unless it is empty."""
        self.agree(True, Protocol.LCP, (5, b"\x11\x11\x11\x11"))
        asked = [(3, authentication)] if authentication else []
        return self.agree(False, Protocol.LCP, *asked, (5, b"\x22\x22\x22\x22"))

    def respond(self, user: bytes = b"alice", identifier: int = 1) -> "Scene":
        """Challenge and Response of MS-CHAPv2."""
        self.ppp(False, Protocol.CHAP, 1, b"\x10" + b"c" * 16 + b"server", identifier)
        return self.ppp(True, Protocol.CHAP, 2, b"\x31" + b"r" * 48 + b"\0" + user, identifier)

    def authenticate(self, user: bytes = b"alice") -> "Scene":
        """Authenticate by MS-CHAPv2 with success."""
        return self.respond(user).ppp(False, Protocol.CHAP, 3, b"S=" + b"A" * 40)

    def refuse(
        self, text: bytes = b"E=691 R=0 C=00000000000000000000000000000000 V=3", user: bytes = b"alice"
    ) -> "Scene":
        """Authenticate by MS-CHAPv2 and be refused."""
        return self.respond(user).ppp(False, Protocol.CHAP, 4, text)

    def encrypt(self, bits: int = MPPE_128) -> "Scene":
        """Agree on MPPE."""
        option = (18, bits.to_bytes(4))
        return self.agree(True, Protocol.CCP, option).agree(False, Protocol.CCP, option)

    def address(self, client: str = "10.77.0.2", server: str = "10.77.0.1") -> "Scene":
        """Agree on addresses."""
        self.agree(True, Protocol.IPCP, (3, IPv4Address(client).packed))
        return self.agree(False, Protocol.IPCP, (3, IPv4Address(server).packed))

    def data(self, up: bool, size: int = 100, *, clear: bool = False) -> "Scene":
        """Send user data, as MPPE by default."""
        if clear:
            return self.gre(up, b"\x00\x21" + ip("10.77.0.2", "10.0.0.5", 1, bytes(size)))
        return self.gre(up, b"\x00\xfd\x90" + bytes((self.numbers[up] & 0xFF,)) + bytes(size))

    def talk(self, rounds: int = 10, pause: float = 0.1) -> "Scene":
        """Send user data to and fro."""
        for _ in range(rounds):
            self.data(True).wait(pause).data(False).wait(pause)
        return self

    def up(self, user: bytes = b"alice") -> "Scene":
        """Bring a whole session up, encrypted, with a little data."""
        return self.call().lcp().authenticate(user).encrypt().address().talk()

    def terminate(self, up: bool, data: bytes = b"") -> "Scene":
        """End the link by LCP."""
        self.ppp(up, Protocol.LCP, 5, data, 77)
        return self.ppp(not up, Protocol.LCP, 6, b"", 77)

    def goodbye(self, up: bool = True, data: bytes = b"MPPE disabled") -> "Scene":
        """End the whole session in good order, begun by the client or the server."""
        return self.terminate(up, data).clear(up).hang_up(up)

    # --- ICMP and UDP -----------------------------------------------------------------------------------------

    def icmp(self, kind: int, code: int, *, source: str = ROUTER, rest: int = 0) -> "Scene":
        """An ICMP error about the last packet on the wire, told to its sender."""
        quoted = self.frames[-1][1][14:][:60]
        head = struct.pack("!BBHI", kind, code, 0, rest)
        message = head[:2] + checksum(head + quoted).to_bytes(2) + head[4:] + quoted
        return self.frame(ethernet(ip(source, str(IPv4Address(quoted[12:16])), ICMP, message)))

    def udp(self, source: tuple[str, int], destination: tuple[str, int], payload: bytes) -> "Scene":
        """A UDP datagram."""
        head = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0)
        return self.frame(ethernet(ip(source[0], destination[0], UDP, head + payload)))

    # --- the result -------------------------------------------------------------------------------------------

    def together(self, *others: "Scene") -> "Scene":
        """Add the frames of other scenes, in the order of time."""
        self.frames = sorted(
            [*self.frames, *(frame for other in others for frame in other.frames)], key=lambda pair: pair[0]
        )
        return self

    def write(self, folder: Path, name: str = "scene.pcap") -> Path:
        """Write the capture."""
        path = folder / name
        path.write_bytes(pcap(self.frames))
        return path

    def case(self, folder: Path) -> Case:
        """Write, read and understand the capture."""
        return build(read([str(self.write(folder))]))

    def diagnosis(self, folder: Path) -> Diagnosis:
        """Write, read and judge the capture."""
        case = self.case(folder)
        return Diagnosis(case, judge(case))

    def findings(self, folder: Path) -> dict[str, Finding]:
        """Return everything that is found, by id."""
        return {finding.id: finding for finding in reversed(self.diagnosis(folder).judgement.all)}

    def top(self, folder: Path) -> Finding:
        """Return the most important finding."""
        return self.diagnosis(folder).judgement.all[0]
