"""Messages out of a stream: cut, joined, damaged, found again."""

import pytest

from holdfast.control.messages import HEADER, ControlMessage, EchoReply, EchoRequest, decode
from holdfast.control.stream import MAX_MESSAGE_SIZE, MessageStream, StreamViolation, ViolationKind
from support.control_vectors import message_vectors

OCTETS = [vector.octets for vector in message_vectors()]
MESSAGES = [decode(octets) for octets in OCTETS]
ALL = b"".join(OCTETS)


def frame(length: int, *, pptp_type: int = 1, cookie: int = 0x1A2B3C4D, message_type: int = 5) -> bytes:
    return HEADER.pack(length, pptp_type, cookie, message_type, 0).ljust(length, b"\0")


def kinds(items: list[ControlMessage | StreamViolation]) -> list[ViolationKind]:
    return [item.kind for item in items if isinstance(item, StreamViolation)]


def test_all_messages_in_one_piece() -> None:
    stream = MessageStream()
    assert stream.feed(ALL) == MESSAGES
    assert stream.pending == 0


@pytest.mark.parametrize("octets", OCTETS, ids=[message.name for message in MESSAGES])
def test_cut_at_every_offset(octets: bytes) -> None:
    for cut in range(len(octets)):
        stream = MessageStream()
        assert stream.feed(octets[:cut]) == []
        assert stream.pending == cut
        assert stream.feed(octets[cut:]) == [decode(octets)]


def test_octet_by_octet() -> None:
    stream = MessageStream()
    assert [item for octet in ALL for item in stream.feed(bytes([octet]))] == MESSAGES


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (frame(16, cookie=0x1A2B3C4E), ViolationKind.WRONG_COOKIE),
        (b"GET / HTTP/1.1\r\n", ViolationKind.WRONG_COOKIE),
        (frame(11), ViolationKind.WRONG_LENGTH),
        (frame(0), ViolationKind.WRONG_LENGTH),
        (frame(MAX_MESSAGE_SIZE + 1, message_type=99), ViolationKind.WRONG_LENGTH),
        (frame(20), ViolationKind.WRONG_LENGTH),
        (frame(12), ViolationKind.WRONG_LENGTH),
    ],
)
def test_fatal_violations(octets: bytes, kind: ViolationKind) -> None:
    stream = MessageStream()
    items = stream.feed(OCTETS[4] + octets + OCTETS[5])
    assert items[0] == MESSAGES[4]
    assert kinds(items) == [kind]
    assert items[-1].fatal
    assert items[-1].offset == len(OCTETS[4])
    assert stream.lost
    assert stream.pending == 0
    assert stream.feed(ALL) == []


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (frame(16, message_type=16), ViolationKind.UNKNOWN_TYPE),
        (frame(MAX_MESSAGE_SIZE, message_type=0), ViolationKind.UNKNOWN_TYPE),
        (frame(40, pptp_type=2), ViolationKind.MANAGEMENT_MESSAGE),
        (frame(12, pptp_type=0, message_type=1), ViolationKind.MANAGEMENT_MESSAGE),
    ],
)
def test_sound_frames_of_unknown_kinds(octets: bytes, kind: ViolationKind) -> None:
    stream = MessageStream()
    items = stream.feed(OCTETS[4] + octets + OCTETS[5])
    assert [items[0], items[2]] == [MESSAGES[4], MESSAGES[5]]
    assert kinds(items) == [kind]
    assert not items[1].fatal
    assert not stream.lost


@pytest.mark.parametrize(
    ("octets", "size"),
    [(frame(16, cookie=0x2A2B3C4D), 5), (frame(16, cookie=0x1A2B3C4E), 8), (frame(5), 2), (frame(20), 10)],
)
def test_a_fault_is_known_as_soon_as_it_can_be(octets: bytes, size: int) -> None:
    stream = MessageStream()
    assert stream.feed(octets[: size - 1]) == []
    assert len(kinds(stream.feed(octets[size - 1 : size]))) == 1


def test_memory_is_bounded() -> None:
    stream = MessageStream()
    stream.feed(frame(MAX_MESSAGE_SIZE, message_type=99)[:-1])
    assert stream.pending == MAX_MESSAGE_SIZE - 1
    passive = MessageStream(passive=True)
    for _ in range(50):
        passive.feed(bytes(1000))
        assert passive.pending < HEADER.size


class TestPassive:
    """Whoever only listens can begin in the middle and go on after damage."""

    def test_begin_in_the_middle(self) -> None:
        for cut in range(len(ALL)):
            stream = MessageStream(passive=True)
            stream.resynchronise()
            found = stream.feed(ALL[cut:])
            assert found == MESSAGES[len(MESSAGES) - len(found) :]
            whole = sum(1 for index in range(len(OCTETS)) if sum(map(len, OCTETS[:index])) >= cut)
            assert len(found) == whole

    def test_begin_in_the_middle_octet_by_octet(self) -> None:
        stream = MessageStream(passive=True)
        stream.resynchronise()
        data = ALL[100:]
        assert [item for octet in data for item in stream.feed(bytes([octet]))] == MESSAGES[1:]

    def test_damage_is_told_once_and_passed(self) -> None:
        stream = MessageStream(passive=True)
        items = stream.feed(OCTETS[4] + b"noise of some length" * 30 + OCTETS[5])
        assert [items[0], items[-1]] == [MESSAGES[4], MESSAGES[5]]
        assert kinds(items) == [ViolationKind.WRONG_COOKIE]
        assert not stream.lost

    def test_a_cookie_in_the_noise_is_not_enough(self) -> None:
        noise = b"\xff\xff\xff\xff\x1a\x2b\x3c\x4d\xff\xff\xff\xff"
        stream = MessageStream(passive=True)
        stream.resynchronise()
        assert stream.feed(noise + OCTETS[5]) == [MESSAGES[5]]

    def test_half_a_header_is_not_believed(self) -> None:
        """A header whose size does not fit its type is noise while searching, also when it comes slowly."""
        stream = MessageStream(passive=True)
        stream.resynchronise()
        data = frame(16, message_type=6) + OCTETS[5]
        assert [item for octet in data for item in stream.feed(bytes([octet]))] == [MESSAGES[5]]

    def test_a_gap(self) -> None:
        stream = MessageStream(passive=True)
        stream.feed(OCTETS[0][:50])
        stream.resynchronise()
        assert stream.feed(OCTETS[0][100:] + OCTETS[1]) == [MESSAGES[1]]

    def test_offsets_count_from_the_first_octet(self) -> None:
        stream = MessageStream(passive=True)
        stream.feed(OCTETS[4])
        (item,) = stream.feed(b"wrong wrong!")
        assert isinstance(item, StreamViolation)
        assert item.offset == len(OCTETS[4])

    def test_offsets_count_what_a_gap_made_us_forget(self) -> None:
        stream = MessageStream(passive=True)
        stream.feed(OCTETS[0][:50])
        stream.resynchronise()
        _, item = stream.feed(OCTETS[4] + b"wrong wrong!")
        assert isinstance(item, StreamViolation)
        assert item.offset == 50 + len(OCTETS[4])


@pytest.mark.parametrize("passive", [False, True])
def test_stop_and_continue(passive: bool) -> None:
    first, second = EchoRequest(1).encode(), EchoReply(1, 1, 0).encode()
    for cut in range(len(first + second)):
        stream = MessageStream(passive=passive)
        before = stream.feed((first + second)[:cut])
        stream = MessageStream.restore(stream.snapshot())
        assert before + stream.feed((first + second)[cut:]) == [EchoRequest(1), EchoReply(1, 1, 0)]
