"""PPP frames: a protocol field and an information field (RFC 1661 section 2).

Between the link and the engine a frame is two octets of protocol and the information. From a capture it may also
begin with `ff 03`, and its protocol field may be compressed to one octet; `split` takes all of these.
"""

from dataclasses import dataclass
from enum import IntEnum

ADDRESS_AND_CONTROL = b"\xff\x03"
"""All-Stations and Unnumbered Information (RFC 1662 section 3.1)."""


class Protocol(IntEnum):
    """PPP protocol numbers that this house knows by name."""

    IP = 0x0021
    VJ_COMPRESSED = 0x002D
    VJ_UNCOMPRESSED = 0x002F
    IPV6 = 0x0057
    COMPRESSED = 0x00FD
    IPCP = 0x8021
    IPV6CP = 0x8057
    CCP = 0x80FD
    LCP = 0xC021
    PAP = 0xC023
    LQR = 0xC025
    CBCP = 0xC029
    CHAP = 0xC223
    EAP = 0xC227


_NAMES = {
    Protocol.VJ_COMPRESSED: "VJ compressed TCP/IP",
    Protocol.VJ_UNCOMPRESSED: "VJ uncompressed TCP/IP",
    Protocol.IPV6: "IPv6",
    Protocol.COMPRESSED: "compressed datagram",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One PPP frame without address, control, padding and check sequence."""

    protocol: int
    information: bytes


def split(frame: bytes) -> Frame | None:
    """Take a frame apart; None when it is too short or its protocol number cannot be one.

    The last octet of a protocol number is odd and the last but one is even (RFC 1661 section 2), so a first
    octet that is odd is a compressed protocol field (RFC 1661 section 6.5).
    """
    start = 2 if frame[:2] == ADDRESS_AND_CONTROL else 0
    if len(frame) <= start:
        return None
    if frame[start] & 1:
        return Frame(frame[start], bytes(frame[start + 1 :]))
    if len(frame) < start + 2 or not frame[start + 1] & 1:
        return None
    return Frame(int.from_bytes(frame[start : start + 2]), bytes(frame[start + 2 :]))


def join(protocol: int, information: bytes) -> bytes:
    """Return a frame with a two-octet protocol field."""
    return protocol.to_bytes(2) + information


def protocol_name(protocol: int) -> str:
    """Return the name of a protocol number for people; the number in hexadecimal when it has none here."""
    try:
        known = Protocol(protocol)
    except ValueError:
        return f"0x{protocol:04x}"
    return _NAMES.get(known, known.name)
