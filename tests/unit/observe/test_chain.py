"""Lines of the chain."""

from hashlib import sha256

import pytest

from holdfast.observe.chain import GENESIS, compose, parse, stub

TEXT = '{"ts":"2026-03-01T10:00:00.000+01:00","event":"X","text":"zoë"}'.encode()


def test_a_line_is_chained_as_the_page_says() -> None:
    line, chain = compose(TEXT, 7, GENESIS)
    digest = sha256(TEXT[:-1]).digest()
    assert chain == sha256(GENESIS + (7).to_bytes(8, "big") + digest).digest()
    assert line == TEXT[:-1] + b',"seq":7,"chain":"' + chain.hex().encode() + b'"}\n'


def test_a_line_comes_apart_again() -> None:
    line, chain = compose(TEXT, 7, GENESIS)
    link = parse(line)
    assert link is not None
    assert (link.seq, link.chain, link.text(), link.stub, link.day) == (7, chain, TEXT, "", "2026-03-01")
    assert link.fits(GENESIS)
    assert not link.fits(chain)


@pytest.mark.parametrize("position", range(0, len(TEXT) - 1, 7))
def test_any_changed_octet_is_seen(position: int) -> None:
    line, _ = compose(TEXT, 7, GENESIS)
    changed = bytearray(line)
    changed[position] ^= 1
    link = parse(bytes(changed))
    assert link is None or not link.fits(GENESIS)


def test_a_changed_number_is_seen() -> None:
    line, _ = compose(TEXT, 7, GENESIS)
    link = parse(line.replace(b'"seq":7', b'"seq":8'))
    assert link is not None
    assert not link.fits(GENESIS)


def test_a_stub_keeps_the_place_and_nothing_else() -> None:
    line, _ = compose(TEXT, 7, GENESIS)
    link = parse(line)
    assert link is not None
    left = stub(link, "purged")
    again = parse(left)
    assert again is not None
    assert (again.stub, again.digest, again.chain, again.seq) == ("purged", link.digest, link.chain, 7)
    assert again.fits(GENESIS)
    assert b"2026" not in left


@pytest.mark.parametrize("line", [b"", b"\n", b"{}\n", b"garbage", b'{"seq":1,"chain":"00"}', b"\xff" * 500])
def test_anything_else_is_no_line(line: bytes) -> None:
    assert parse(line) is None


def test_a_fact_cannot_pose_as_the_end_of_a_line() -> None:
    """A peer that puts a chain value into a text does not get to choose where the line ends."""
    text = b'{"text":"\\",\\"seq\\":9,\\"chain\\":\\"' + b"0" * 64 + b'\\"}"}'
    line, chain = compose(text, 1, GENESIS)
    link = parse(line)
    assert link is not None
    assert (link.seq, link.chain) == (1, chain)
