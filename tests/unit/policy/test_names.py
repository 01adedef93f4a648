"""Names and passwords that are taken, and those that are not."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.policy.names import (
    LONGEST_NAME,
    UnacceptableError,
    acceptable_name,
    acceptable_nt_hash,
    acceptable_password,
    lookup_name,
)


@pytest.mark.parametrize(
    "name", ["a", "alice", "CORP\\alice", "alice@example.org", "J\u00fcrgen", "a b", "x" * 253, "%s'\""]
)
def test_ordinary_and_odd_names(name: str) -> None:
    assert acceptable_name(name) == name
    assert lookup_name(name.encode()) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "a user needs a name"),
        ("a\nb", "cannot be seen: U+000A"),
        ("a\x00", "U+0000"),
        ("\x1b[31m", "U+001B"),
        ("a\u202eb", "U+202E"),
        ("a\u2028b", "U+2028"),
        ("a\ud800", "U+D800"),
        (" a", "begins or ends with a space"),
        ("a\u00a0", "begins or ends with a space"),
        ("x" * 254, "254 octets"),
        ("\u00e4" * 127, "254 octets"),
    ],
)
def test_hostile_names_get_a_sentence(name: str, said: str) -> None:
    with pytest.raises(UnacceptableError) as caught:
        acceptable_name(name)
    assert said in caught.value.what
    assert caught.value.text().isprintable()


def test_a_name_is_one_name_however_it_is_composed() -> None:
    apart = unicodedata.normalize("NFD", "J\u00fcrgen")
    assert acceptable_name(apart) == "J\u00fcrgen"
    assert lookup_name(apart.encode()) == "J\u00fcrgen"


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_octets_of_a_peer_are_a_name_or_nobody(octets: bytes) -> None:
    name = lookup_name(octets)
    if name is not None:
        assert acceptable_name(name) == name
        assert len(name.encode()) <= LONGEST_NAME


def test_passwords() -> None:
    assert acceptable_password(" pass word \u00e4 ").reveal() == " pass word \u00e4 ".encode()
    assert len(acceptable_password("x" * 256)) == 256


@pytest.mark.parametrize("text", ["", "tab\there", "line\nbreak", "nul\x00", "half\ud800", "y" * 257])
def test_bad_passwords_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UnacceptableError) as caught:
        acceptable_password(text)
    assert not text or text not in caught.value.text()


def test_nt_hash() -> None:
    assert acceptable_nt_hash(" 8846F7EAEE8FB117AD06BDD830B7586C\n").reveal()[:2] == b"\x88\x46"


@pytest.mark.parametrize("text", ["", "88", "zz" * 16, "8846F7EAEE8FB117AD06BDD830B7586C00"])
def test_what_is_no_nt_hash(text: str) -> None:
    with pytest.raises(UnacceptableError, match="32 hexadecimal digits"):
        acceptable_nt_hash(text)
