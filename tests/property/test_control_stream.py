"""Any octets, cut anywhere: the stream never raises, keeps little, and reads the same however it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.messages import ControlMessage, decode
from holdfast.control.stream import MAX_MESSAGE_SIZE, MessageStream, StreamViolation
from holdfast.wire.errors import MalformedError
from support.control_vectors import message_vectors

OCTETS = [vector.octets for vector in message_vectors()]

damaged = st.builds(
    lambda octets, at, octet: octets[: at % len(octets)] + bytes([octet]) + octets[at % len(octets) + 1 :],
    st.sampled_from(OCTETS),
    st.integers(0, 1000) | st.integers(0, 12),
    st.integers(0, 255),
)
piece = st.sampled_from(OCTETS) | damaged | st.binary(max_size=40)
octet_stream = st.lists(piece, max_size=8).map(b"".join)
cuts = st.lists(st.integers(1, 300), min_size=1, max_size=20)


def feed_in_pieces(stream: MessageStream, data: bytes, sizes: list[int]) -> list[object]:
    found: list[object] = []
    offset = index = 0
    while offset < len(data):
        size = sizes[index % len(sizes)]
        found += stream.feed(data[offset : offset + size])
        assert stream.pending <= MAX_MESSAGE_SIZE
        offset += size
        index += 1
    return found


def essence(item: object) -> object:
    """A fault is told the earlier the finer the cuts, and so with fewer octets in its detail: compare its place."""
    return item.offset if isinstance(item, StreamViolation) else item


@given(octet_stream, cuts)
def test_cuts_do_not_matter(data: bytes, sizes: list[int]) -> None:
    in_pieces, at_once = feed_in_pieces(MessageStream(), data, sizes), MessageStream().feed(data)
    assert [essence(item) for item in in_pieces] == [essence(item) for item in at_once]


@given(octet_stream, cuts)
def test_cuts_do_not_matter_to_who_only_listens(data: bytes, sizes: list[int]) -> None:
    """A fault that ends in a cut is known earlier, but the messages are the same."""
    at_once = [item for item in MessageStream(passive=True).feed(data) if isinstance(item, ControlMessage)]
    in_pieces = feed_in_pieces(MessageStream(passive=True), data, sizes)
    assert [item for item in in_pieces if isinstance(item, ControlMessage)] == at_once


@given(st.binary(max_size=60), st.sampled_from(OCTETS))
def test_a_listener_finds_the_next_message(noise: bytes, octets: bytes) -> None:
    """Noise without a cookie cannot hide a message behind it."""
    stream = MessageStream(passive=True)
    stream.resynchronise()
    found = stream.feed(noise.replace(b"\x1a", b"\x1b") + octets)
    assert found == [decode(octets)]


@given(st.binary(max_size=250) | damaged)
def test_one_message(data: bytes) -> None:
    """What is read is written the same, but for reserved octets and what stands behind the end of a text."""
    try:
        message = decode(data)
    except MalformedError:
        return
    assert len(message.encode()) == len(data)
    assert message.fields_text().isprintable()
