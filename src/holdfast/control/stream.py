"""Control messages out of a TCP stream: split and coalesced ones, bounded, never raising.

Used by the live connection, which ends at the first fatal violation as RFC 2637 section 1.4 asks, and by whoever
only listens (a capture), who can `resynchronise` at the next magic cookie.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from holdfast.control.codes import MAGIC_COOKIE, PptpMessageType
from holdfast.control.messages import HEADER, ControlMessage, decode, message_class

MAX_MESSAGE_SIZE: Final = 512
"""Our choice. The largest message of RFC 2637 has 220 octets; more than this is never kept."""

COOKIE_OCTETS: Final = MAGIC_COOKIE.to_bytes(4, "big")
COOKIE_OFFSET: Final = 4

_STATE: Final = ("buffer", "offset", "passive", "searching", "lost")


class ViolationKind(StrEnum):
    """What is wrong with what stands in the stream."""

    WRONG_COOKIE = "wrong_cookie"
    WRONG_LENGTH = "wrong_length"
    UNKNOWN_TYPE = "unknown_type"
    """A Control Message Type that is not defined, in a sound frame."""
    MANAGEMENT_MESSAGE = "management_message"
    """Another PPTP Message Type than Control, in a sound frame (section 1.4: not defined so far)."""


@dataclass(frozen=True, slots=True)
class StreamViolation:
    """Octets that are no control message. `offset` counts from the first octet that was ever fed."""

    kind: ViolationKind
    detail: str
    offset: int

    @property
    def fatal(self) -> bool:
        """Whether the framing is lost: nothing after it can be trusted."""
        return self.kind in (ViolationKind.WRONG_COOKIE, ViolationKind.WRONG_LENGTH)


class MessageStream:
    """One direction of a control connection.

    At a fatal violation an end of the connection is `lost` and ignores what is fed from then on. A passive reader
    reports the violation once and goes on at the next believable header with the magic cookie. At most
    MAX_MESSAGE_SIZE octets are kept between two calls of `feed`.
    """

    __slots__ = ("_buffer", "_lost", "_offset", "_passive", "_searching")

    def __init__(self, *, passive: bool = False) -> None:
        self._buffer = b""
        self._offset = 0
        self._passive = passive
        self._searching = False
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether the framing is lost for good."""
        return self._lost

    @property
    def pending(self) -> int:
        """How many octets of an unfinished message are kept."""
        return len(self._buffer)

    def resynchronise(self) -> None:
        """Forget what is kept and look for the next header in what is fed from now on (after a gap, or to begin
        in the middle). For passive readers only: section 1.4 forbids it to the ends of a connection."""
        self._offset += len(self._buffer)
        self._buffer = b""
        self._lost = False
        self._searching = True

    def feed(self, data: bytes) -> list[ControlMessage | StreamViolation]:
        """Take octets; return the messages and violations that they complete, in order."""
        found: list[ControlMessage | StreamViolation] = []
        if self._lost:
            return found
        data = self._buffer + data if self._buffer else bytes(data)
        start = self._search(data, 0)
        while (step := self._next(data, start)) is not None:
            start, item = step
            found.append(item)
            if isinstance(item, StreamViolation) and item.fatal:
                if not self._passive:
                    self._lost = True
                    start = len(data)
                    break
                self._searching = True
                start += 1
            start = self._search(data, start)
        self._offset += start
        self._buffer = data[start:]
        return found

    def snapshot(self) -> dict[str, bytes | int | bool]:
        """Return the state as plain data."""
        return {name: getattr(self, "_" + name) for name in _STATE}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "MessageStream":
        """Return the stream that `snapshot` wrote down."""
        stream = cls()
        for name in _STATE:
            setattr(stream, "_" + name, state[name])
        return stream

    def _next(self, data: bytes, start: int) -> tuple[int, ControlMessage | StreamViolation] | None:
        """Return where the item at `start` ends, and the item; None when more octets are needed."""
        if self._searching:
            return None
        if fault := _header_fault(data, start):
            return start, StreamViolation(*fault, self._offset + start)
        if len(data) - start < HEADER.size:
            return None
        length, pptp_message_type, _, control_message_type, _ = HEADER.unpack_from(data, start)
        end = start + length
        if len(data) < end:
            return None
        if fault := _type_fault(pptp_message_type, control_message_type):
            return end, StreamViolation(*fault, self._offset + start)
        return end, decode(data[start:end])

    def _search(self, data: bytes, start: int) -> int:
        """While searching, return where the first believable header begins, and stop searching; or, if there is
        none, return where the last octets begin that may become one."""
        if not self._searching:
            return start
        while (cookie := data.find(COOKIE_OCTETS, start + COOKIE_OFFSET)) >= 0:
            start = cookie - COOKIE_OFFSET
            if _header_fault(data, start) is None:
                self._searching = len(data) - start < HEADER.size
                return start
            start += 1
        return max(start, len(data) - (COOKIE_OFFSET + len(COOKIE_OCTETS) - 1))


def _type_fault(pptp_message_type: int, control_message_type: int) -> tuple[ViolationKind, str] | None:
    if pptp_message_type != PptpMessageType.CONTROL:
        return ViolationKind.MANAGEMENT_MESSAGE, f"PPTP Message Type {pptp_message_type} is not defined"
    if message_class(control_message_type) is None:
        return ViolationKind.UNKNOWN_TYPE, f"Control Message Type {control_message_type} is not defined"
    return None


def _header_fault(data: bytes, start: int) -> tuple[ViolationKind, str] | None:
    """Judge as much of a header as there is, so that nobody is waited for in vain."""
    header = data[start : start + HEADER.size]
    cookie = header[COOKIE_OFFSET : COOKIE_OFFSET + 4]
    if cookie != COOKIE_OCTETS[: len(cookie)]:
        return ViolationKind.WRONG_COOKIE, f"magic cookie begins 0x{cookie.hex()}, not 0x{MAGIC_COOKIE:08x}"
    if len(header) < 2:
        return None
    length = int.from_bytes(header[:2], "big")
    if not HEADER.size <= length <= MAX_MESSAGE_SIZE:
        return ViolationKind.WRONG_LENGTH, f"length {length} is no length of a control message"
    return _size_fault(header, length) if len(header) >= HEADER.size - 2 else None


def _size_fault(header: bytes, length: int) -> tuple[ViolationKind, str] | None:
    pptp_message_type = int.from_bytes(header[2:4], "big")
    cls = message_class(int.from_bytes(header[8:10], "big"))
    if pptp_message_type != PptpMessageType.CONTROL or cls is None or cls.size() == length:
        return None
    return ViolationKind.WRONG_LENGTH, f"{cls.name} of {length} octets where {cls.size()} are due"
