import struct

import pytest

from holdfast.control.messages import OutgoingCallReply
from holdfast.watch.packets import call_id, look, quoted, segment, text
from support.live import captured
from support.scene import CLIENT, SERVER, Scene, gre, ip


def test_a_segment_and_what_it_tells() -> None:
    seen = [look(one.ether_type, one.octets) for one in captured(Scene().call())]
    segments = [segment(one) for one in seen if one and one.protocol == 6]
    assert all(one is not None and text(one.client[0]) == CLIENT and one.server[1] == 1723 for one in segments)
    told = [(one.kind, one.calls) for one in segments if one and one.calls]
    assert told == [(7, (100, None)), (8, (200, 100))]
    assert {one.from_client for one in segments if one} == {True, False}
    assert OutgoingCallReply.__name__


@pytest.mark.parametrize("tag", [(0x8100, b"\x00\x01\x08\x00"), (0x8864, b"\x11\x00\x00\x01\x00\x40\x00\x21")])
def test_tags_are_looked_through(tag: tuple[int, bytes]) -> None:
    seen = look(tag[0], tag[1] + ip(CLIENT, SERVER, 47, gre(7, b"\xff\x03", 1)))
    assert seen is not None
    assert (text(seen.source), text(seen.destination), call_id(seen)) == (CLIENT, SERVER, 7)


def test_the_pair_is_the_same_both_ways() -> None:
    there, back = (look(0x800, ip(*ends, 47, b"")) for ends in ((CLIENT, SERVER), (SERVER, CLIENT)))
    assert there is not None
    assert back is not None
    assert there.pair == back.pair


def test_what_an_error_quotes() -> None:
    inner = ip(CLIENT, SERVER, 47, gre(7, b"", None))
    seen = look(0x800, ip("203.0.113.1", CLIENT, 1, b"\x03\x02" + bytes(6) + inner))
    assert seen is not None
    about = quoted(seen)
    assert about is not None
    assert text(about.source) == CLIENT
    other = look(0x800, ip("203.0.113.1", CLIENT, 1, b"\x03\x02" + bytes(6) + ip(CLIENT, SERVER, 17, b"")))
    assert other is not None
    assert quoted(other) is None


def test_version_6_and_fragments() -> None:
    packet = struct.pack("!IHBB", 6 << 28, 8, 47, 64) + bytes(31) + b"\x01" + gre(7, b"", None)
    packet = packet[:8] + bytes(15) + b"\x01" + bytes(15) + b"\x02" + gre(7, b"", None)
    seen = look(0x86DD, packet)
    assert seen is not None
    assert (text(seen.source), call_id(seen)) == ("::1", 7)
    piece = bytearray(ip(CLIENT, SERVER, 47, b"rest"))
    piece[6:8] = b"\x00\x05"
    later = look(0x800, bytes(piece))
    assert later is not None
    assert later.fragment


@pytest.mark.parametrize(
    "octets", [b"", b"\x45", b"\x4f" + bytes(19), bytes(40), b"\x45" + bytes(19), b"\x60" * 39, b"\x60" * 60]
)
@pytest.mark.parametrize("ether_type", [0x800, 0x86DD, 0x8100, 0x8864, 0])
def test_rubbish(octets: bytes, ether_type: int) -> None:
    seen = look(ether_type, octets)
    if seen is not None:
        assert segment(seen) is None
        call_id(seen)
        quoted(seen)
