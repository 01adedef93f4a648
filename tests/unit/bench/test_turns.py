"""Whose turn it was: the rule by which the benchmark tells the dialer's time from the server's."""

import pytest

from bench.turns import Move, Moves, read_move, split
from holdfast._native import gre_build

LCP_REQUEST = b"\xff\x03\xc0\x21\x01\x01\x00\x04"
ECHO_REQUEST = b"\xff\x03\xc0\x21\x09\x01\x00\x08"


def ip(protocol: int, body: bytes) -> bytes:
    return b"\x45\x00" + (20 + len(body)).to_bytes(2) + bytes(5) + bytes((protocol,)) + bytes(10) + body


def tcp(flags: int, payload: bytes = b"") -> bytes:
    return ip(6, bytes(12) + bytes((5 << 4, flags)) + bytes(6) + payload)


def test_a_wait_belongs_to_whoever_ends_it() -> None:
    moves = [Move(0.0, True), Move(0.1, False), Move(0.13, True), Move(0.2, True, True), Move(0.5, False, True)]
    found = split(moves)
    assert (found.ours, found.theirs, found.answered) == (pytest.approx(0.1), pytest.approx(0.4), 0.5)


def test_pings_that_are_repeated_are_the_servers_wait() -> None:
    moves = [Move(0.0, False), Move(0.05, True, True), Move(0.15, True, True), Move(0.2, False), Move(0.25, True, True)]
    found = split([*moves, Move(0.3, False, True)])
    assert found.ours == pytest.approx(0.05)
    assert found.theirs == found.last == pytest.approx(0.25)


def test_frames_that_are_repeated_are_the_servers_wait() -> None:
    asked, other = b"\xc0\x21\x01", b"\xc0\x21\x02"
    moves = [Move(0.0, True, said=asked), Move(1.0, True, said=asked), Move(1.5, False), Move(1.6, True, said=other)]
    found = split([*moves, Move(1.7, True, True), Move(1.9, False, True)])
    assert (found.ours, found.theirs, found.last) == (pytest.approx(0.2), pytest.approx(1.7), pytest.approx(0.2))
    assert found.whole == pytest.approx(1.9)


def test_what_the_server_repeats_is_its_own_affair() -> None:
    said = b"\xc0\x21\x01"
    moves = [Move(0.0, False, said=said), Move(1.0, False, said=said), Move(1.1, True, True), Move(1.2, False, True)]
    assert split(moves).ours == pytest.approx(0.1)


def test_what_is_left_out_counts_for_nobody_and_what_comes_later_neither() -> None:
    moves = [Move(1.0, True), Move(2.0, False), Move(3.0, True, True), Move(4.0, False, True), Move(9.0, True)]
    found = split(moves, (1.5, 2.5))
    assert (found.ours, found.theirs) == (pytest.approx(0.5), pytest.approx(1.5))


def test_data_that_comes_before_any_ping_is_no_answer() -> None:
    with pytest.raises(ValueError, match="no ping"):
        split([Move(0.0, False, True), Move(1.0, True, True)])
    with pytest.raises(ValueError, match="no ping"):
        split([Move(0.0, False, True)])


def test_what_only_acknowledges_moves_nothing() -> None:
    assert read_move(1.0, tcp(0x02), ours=True) == Move(1.0, True)
    assert read_move(1.0, tcp(0x10), ours=True) is None
    assert read_move(1.0, tcp(0x18, b"x"), ours=False) == Move(1.0, False)
    assert read_move(1.0, ip(47, gre_build(7, None, 3, b"")), ours=True) is None
    asked = Move(1.0, True, said=LCP_REQUEST[2:])
    assert read_move(1.0, ip(47, gre_build(7, 1, None, LCP_REQUEST)), ours=True) == asked
    assert read_move(1.0, ip(47, gre_build(7, 2, None, LCP_REQUEST[2:])), ours=True) == asked
    assert read_move(1.0, ip(47, gre_build(7, 2, None, ECHO_REQUEST)), ours=True) is None
    assert read_move(1.0, ip(47, gre_build(7, 1, None, b"\xfd\x90\x00\x01")), ours=True) == Move(1.0, True, True)
    assert read_move(1.0, ip(17, bytes(8)), ours=True) is None
    assert read_move(1.0, b"", ours=True) is None


def test_the_kernel_tells_which_way_a_packet_went() -> None:
    moves = Moves()
    moves.hear(1.0, tcp(0x02), ("tap0", 0x0800, 4, 1, b""))
    moves.hear(2.0, tcp(0x12), ("tap0", 0x0800, 0, 1, b""))
    moves.hear(3.0, b"\x00\x01", ("tap0", 0x0806, 0, 1, b""))
    assert moves == [Move(1.0, True), Move(2.0, False)]
