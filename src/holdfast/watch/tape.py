"""What is kept of one connection, so that a failure can be shown: its beginning, and the last that went by.

User packets are cut behind their PPP protocol field, and authentication loses its secrets before anything is stored,
exactly as on the tapes of the flight recorder (`observe/recorder_redaction.py`).
"""

from collections import deque

from holdfast.gre.codec import MAX_HEADER_SIZE, GreFault, read_header
from holdfast.observe.recorder_pcapng import Packet, header, packet_block, statistics_block
from holdfast.observe.recorder_redaction import CUT, redact
from holdfast.ppp.framing import Frame, join, split
from holdfast.watch.bpf import GRE, TCP
from holdfast.watch.packets import COOKIE, Seen

HEAD_MOST, TAIL_MOST = 400, 400
"""Packets kept from the beginning, and of the last ones."""
OCTETS_MOST = 96 << 10
USER_END, COMPRESSED = 0x4000, 0xFD
"""Below the one a PPP protocol number stands for somebody's packets (RFC 1661 section 2); the other is MPPE."""

EXPLANATION = "User packets are cut behind their PPP protocol field; secrets of authentication are zeros."
MALFORMED_KEPT = 8
PPP_IN_GRE = b"\x88\x0b"
STRANGE_KEPT = 64
"""Octets of a TCP segment without a control message: enough to see what it is instead."""

Entry = tuple[int, bytes, int, str]
"""Nanoseconds, octets from the IP header on, length as it went by, comment."""


class Tape:
    """The packets of one connection, within bounds. `left_out` counts those that had no room."""

    __slots__ = ("_head", "_octets", "_tail", "left_out")

    def __init__(self) -> None:
        self._head: list[Entry] = []
        self._tail: deque[Entry] = deque()
        self._octets = 0
        self.left_out = 0

    def add(self, nanoseconds: int, seen: Seen, length: int) -> None:
        """Keep what may be kept of a packet."""
        octets, comment = clean(seen)
        entry = (nanoseconds, octets, max(length, len(octets)), comment)
        if len(self._head) < HEAD_MOST and self._octets < OCTETS_MOST // 2:
            self._head.append(entry)
        else:
            self._tail.append(entry)
        self._octets += len(octets)
        while len(self._tail) > TAIL_MOST or (self._octets > OCTETS_MOST and self._tail):
            self._octets -= len(self._tail.popleft()[1])
            self.left_out += 1

    def write(self, comment: str, interface: str) -> bytes:
        """Return it as a pcapng file."""
        comment += f"\n{EXPLANATION}"
        if self.left_out:
            comment += f"\n{self.left_out} packets in the middle are left out."
        entries = [*self._head, *self._tail]
        blocks = (packet_block(Packet(at / 1e9, octets, length, said)) for at, octets, length, said in entries)
        end = statistics_block(self.left_out) if self.left_out else b""
        return header(comment, interface) + b"".join(blocks) + end


def clean(seen: Seen) -> tuple[bytes, str]:
    """Return what may be kept of a packet, and what a reader should know about that."""
    if seen.protocol == TCP:
        return _clean_tcp(seen)
    if seen.protocol != GRE:
        return seen.ip, ""
    if seen.fragment:
        return seen.ip[: seen.at], CUT
    end = _user_data(seen.ip, seen.at)
    if end:
        return seen.ip[:end], CUT
    gre = read_header(seen.ip[seen.at : seen.at + MAX_HEADER_SIZE])
    body = seen.at + (MALFORMED_KEPT if isinstance(gre, GreFault) else gre.size)
    frame = None if isinstance(gre, GreFault) else split(seen.ip[body:])
    if frame is None:
        return seen.ip[:body], CUT if len(seen.ip) > body else ""
    return _clean_frame(seen, frame)


def _user_data(ip: bytes, at: int) -> int:
    """Return where the PPP protocol field of a user packet ends, 0 for all else: the quick way for most packets."""
    if len(ip) < at + MAX_HEADER_SIZE + 4 or ip[at + 2 : at + 4] != PPP_IN_GRE or ip[at] & 0xC0:
        return 0
    body = at + 8 + (4 if ip[at] & 0x10 else 0) + (4 if ip[at + 1] & 0x80 else 0)
    if ip[body] == 0xFF:
        body += 2
    if ip[body] & 1:
        return body + 1
    return body + 2 if ip[body] < USER_END >> 8 and ip[body + 1] & 1 else 0


def _clean_frame(seen: Seen, frame: Frame) -> tuple[bytes, str]:
    front = seen.ip[: len(seen.ip) - len(frame.information)]
    if frame.protocol < USER_END or frame.protocol == COMPRESSED:
        return front, CUT
    kept = redact(join(frame.protocol, frame.information))
    return front + kept.octets[2:], kept.comment


def _clean_tcp(seen: Seen) -> tuple[bytes, str]:
    """Control messages whole; of a segment that is none, little: port 1723 may carry anything."""
    offset = (seen.ip[seen.at + 12] >> 4) * 4 if len(seen.ip) > seen.at + 12 else 0
    body = seen.at + offset
    if seen.ip[body + 4 : body + 8] == COOKIE or len(seen.ip) <= body + STRANGE_KEPT:
        return seen.ip, ""
    return seen.ip[: body + STRANGE_KEPT], CUT
