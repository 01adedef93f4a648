"""Headers around what was recorded, so that every tool reads it: IPv4 and TCP for control messages, IPv4 and GRE
for PPP frames. The gateway sees neither of these headers; numbers and client port are counted up from one.
"""

import struct
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from holdfast.events import Direction
from holdfast.gre.codec import GrePacket, build
from holdfast.ppp.framing import ADDRESS_AND_CONTROL

PPTP_PORT = 1723
CLIENT_PORT = 49152
"""The first of the dynamic ports (RFC 6335): the true one is not known here."""
TCP, GRE = 6, 47
IP_SIZE = 20
TCP_PSH_ACK = 0x5018
"""Header of five words, flags PSH and ACK."""
LARGEST = 65_535
LARGEST_MESSAGE = LARGEST - IP_SIZE - 20


@dataclass(frozen=True, slots=True)
class Ends:
    """Who talks: outer addresses in dotted form, and each end's call ID."""

    client: str
    server: str
    local_call_id: int = 0
    peer_call_id: int = 0


class Conversation:
    """Puts headers around one session's packets, in their order."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._addresses = {
            Direction.RECEIVED: _address(ends.client) + _address(ends.server),
            Direction.SENT: _address(ends.server) + _address(ends.client),
        }
        self._octets = dict.fromkeys(Direction, 1)
        self._frames = dict.fromkeys(Direction, 0)

    def control(self, direction: Direction, octets: bytes) -> bytes:
        """Return the IPv4 packet of some octets of the control connection."""
        octets = octets[:LARGEST_MESSAGE]
        ports = (CLIENT_PORT, PPTP_PORT) if direction is Direction.RECEIVED else (PPTP_PORT, CLIENT_PORT)
        sent, seen = self._octets[direction], self._octets[_opposite(direction)]
        self._octets[direction] = (sent + len(octets)) & 0xFFFFFFFF
        segment = struct.pack("!HHIIHHHH", *ports, sent, seen, TCP_PSH_ACK, 0xFFFF, 0, 0) + octets
        addresses = self._addresses[direction]
        pseudo = addresses + struct.pack("!HH", TCP, len(segment))
        check = checksum(pseudo + segment)
        return self._ip(TCP, addresses, segment[:16] + check.to_bytes(2) + segment[18:])

    def frame(self, direction: Direction, frame: bytes, original: int) -> tuple[bytes, int]:
        """Return the IPv4 packet of a PPP frame that had `original` octets, and that packet's original length."""
        call_id = self._ends.local_call_id if direction is Direction.RECEIVED else self._ends.peer_call_id
        number, seen = self._frames[direction], self._frames[_opposite(direction)]
        self._frames[direction] = number + 1
        missing = max(0, original - len(frame))
        payload = ADDRESS_AND_CONTROL + frame + bytes(missing)
        gre = build(GrePacket(call_id, number, (seen - 1) & 0xFFFFFFFF, payload))
        whole = self._ip(GRE, self._addresses[direction], gre)
        return whole[: len(whole) - missing], len(whole)

    @staticmethod
    def _ip(protocol: int, addresses: bytes, payload: bytes) -> bytes:
        """RFC 791 section 3.1, without options and fragments."""
        start = struct.pack("!BBHHHBB", 0x45, 0, IP_SIZE + len(payload), 0, 0, 64, protocol)
        check = checksum(start + bytes(2) + addresses)
        return start + check.to_bytes(2) + addresses + payload


def checksum(octets: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    octets += bytes(len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _opposite(direction: Direction) -> Direction:
    return Direction.SENT if direction is Direction.RECEIVED else Direction.RECEIVED


def _address(text: str) -> bytes:
    with suppress(AddressValueError):
        return IPv4Address(text).packed
    return bytes(4)
