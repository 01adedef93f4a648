"""Text fields: lenient to read, safe to print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.wire.text import composed, pad, printable, unpad


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"cananian", "cananian"),
        (b"", ""),
        ("Größe".encode(), "Größe"),
        (b"a\nb\r\x1b[2J", "a\\x0ab\\x0d\\x1b[2J"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("\u202eevil".encode(), "\\u202eevil"),
    ],
)
def test_printable(octets: bytes, text: str) -> None:
    assert printable(octets) == text


def test_unpad_stops_at_the_first_nul() -> None:
    assert unpad(b"local\0garbage\0\0") == "local"
    assert unpad(b"full") == "full"


@given(st.binary(max_size=128))
def test_whatever_is_sent_can_be_logged(octets: bytes) -> None:
    text = printable(octets)
    assert text.isprintable()
    assert len(text) <= 4 * len(octets)


@given(st.text(), st.integers(0, 64))
def test_pad_fits_and_never_cuts_a_character(text: str, size: int) -> None:
    octets = pad(text, size)
    assert len(octets) == size
    octets.decode()
    assert text.encode(errors="replace").startswith(octets.rstrip(b"\0")[: len(octets)])


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=16))
def test_printable_text_survives(text: str) -> None:
    assert unpad(pad(text, 64)) == text


def test_an_accent_is_part_of_its_letter_or_a_character_of_its_own() -> None:
    assert composed("jose\u0301") == composed("jos\u00e9") == "jos\u00e9"
    assert composed("\ud800x") == "\ud800x"
