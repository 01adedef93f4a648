"""What of a PPP frame may be kept: negotiation whole, authentication without its secrets, user traffic not at all.

Taken out before a frame is stored anywhere, so that no secret waits in memory either. What is taken out becomes
zeros of the same length where the packet stays readable that way; else the frame is cut.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol

PROTOCOL_SIZE = 2
PACKET_HEADER = 4
"""Code, identifier, length (RFC 1661 section 5)."""
FIRST_NCP, LAST_NCP = 0x8000, 0xBFFF
"""Network Control Protocols (RFC 1661 section 2): they negotiate and carry nobody's data."""

REDACTED = "secrets were replaced by zeros"
CUT = "what this frame carries was not kept"

_WHOLE = frozenset({Protocol.LCP, Protocol.LQR, Protocol.CBCP})
_HEX_FIELDS = re.compile(rb"\b([SC]=)([0-9A-Fa-f]+)")
_READABLE_EAP_TYPES = frozenset({1, 2, 3})
"""Identity, Notification, Nak (RFC 2284 section 3); all others prove something."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a frame of `original` octets, and what a reader should know about that."""

    octets: bytes
    original: int
    comment: str = ""


def redact(frame: bytes) -> Kept:
    """Return what may be kept of a frame (protocol field of two octets, then information)."""
    protocol, information = int.from_bytes(frame[:PROTOCOL_SIZE]), frame[PROTOCOL_SIZE:]
    if protocol in _AUTHENTICATION:
        return _redact_authentication(frame, _AUTHENTICATION[Protocol(protocol)])
    if protocol == Protocol.LCP and information[:1] == bytes((Code.PROTOCOL_REJECT,)):
        return _cut(frame, PROTOCOL_SIZE + PACKET_HEADER + PROTOCOL_SIZE)  # a copy of somebody's packet follows
    if protocol in _WHOLE or FIRST_NCP <= protocol <= LAST_NCP:
        return Kept(frame, len(frame))
    return _cut(frame, PROTOCOL_SIZE)


def _cut(frame: bytes, size: int) -> Kept:
    return Kept(frame[:size], len(frame), CUT if len(frame) > size else "")


def _redact_authentication(frame: bytes, blank: Callable[[int, bytes], bytes]) -> Kept:
    start = PROTOCOL_SIZE + PACKET_HEADER
    code, data = frame[PROTOCOL_SIZE : PROTOCOL_SIZE + 1], frame[start:]
    clean = blank(code[0], data) if code else data
    return Kept(frame[:start] + clean, len(frame), REDACTED if clean != data else "")


def _blank_pap(code: int, data: bytes) -> bytes:
    """RFC 1334 section 2.2: a request is a counted name and a counted password; answers are a counted text."""
    if code in (2, 3):
        return data
    end = 1 + data[0] if data else 0
    kept = data[:end] if code == 1 and end <= len(data) else b""
    return kept + bytes(len(data) - len(kept))


def _blank_chap(code: int, data: bytes) -> bytes:
    """RFC 1994 section 4: challenge and response are a counted value and a name; success and failure are text.

    In the text of MS-CHAP, `S=` is a proof made from the password and `C=` a challenge (RFC 2759 sections 5 and 6).
    """
    if code in (3, 4):
        return _HEX_FIELDS.sub(lambda found: found[1] + b"0" * len(found[2]), data)
    if code not in (1, 2) or not data or (end := 1 + data[0]) > len(data):
        return bytes(len(data))
    return data[:1] + bytes(end - 1) + data[end:]


def _blank_eap(code: int, data: bytes) -> bytes:
    """RFC 2284 section 2.2: a request or response is a type and its data; success and failure have none."""
    if code in (1, 2) and data and data[0] in _READABLE_EAP_TYPES:
        return data
    return data[:1] + bytes(len(data[1:]))


_AUTHENTICATION: Mapping[Protocol, Callable[[int, bytes], bytes]] = {
    Protocol.PAP: _blank_pap,
    Protocol.CHAP: _blank_chap,
    Protocol.EAP: _blank_eap,
}
