"""The TLV reader: what it reads, what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.wire.errors import MalformedError
from holdfast.wire.tlv import Option, read_options, write_options

LCP_OPTIONS = bytes.fromhex("0104 05a0 0304 c023 0506 1a2b3c4d 0702 0802")

any_option = st.builds(Option, st.integers(0, 255), st.binary(max_size=253))


def test_options_of_a_configure_request() -> None:
    assert read_options(LCP_OPTIONS) == [
        Option(1, b"\x05\xa0"),
        Option(3, b"\xc0\x23"),
        Option(5, b"\x1a\x2b\x3c\x4d"),
        Option(7),
        Option(8),
    ]


def test_no_octets_are_no_options() -> None:
    assert read_options(b"") == []
    assert write_options([]) == b""


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("01", "lone octet"),
        ("0104 05a0 03", "lone octet at offset 4"),
        ("0100", "length 0"),
        ("0101", "length 1"),
        ("0103", "past the end"),
        ("0104 05", "past the end"),
        ("0702 01ff 00", "past the end"),
    ],
)
def test_bad_lengths(octets: str, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        read_options(bytes.fromhex(octets))


def test_a_value_too_long_to_write() -> None:
    with pytest.raises(ValueError, match="254 octets"):
        write_options([Option(1, bytes(254))])


def test_a_type_too_large_to_write() -> None:
    with pytest.raises(ValueError):
        write_options([Option(256)])


def test_size_counts_the_header() -> None:
    assert len(Option(1, b"ab")) == 4


@given(st.lists(any_option, max_size=20))
def test_options_survive_the_wire(options: list[Option]) -> None:
    assert read_options(write_options(options)) == options


@given(st.binary(max_size=300))
def test_octets_survive_or_are_refused(octets: bytes) -> None:
    try:
        options = read_options(octets)
    except MalformedError:
        return
    assert write_options(options) == octets
