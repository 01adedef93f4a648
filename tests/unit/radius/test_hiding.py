"""Passwords and keys under the shared secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.radius.hiding import hide_key, hide_password, reveal_key, reveal_ms_chap_keys, reveal_password
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError

SHARED = Secret(b"xyzzy5461")
AUTHENTICATOR = bytes.fromhex("0f403f9473978057bd83d5cb98f4227a")


def test_the_password_of_rfc_2865_section_7_1():
    hidden = hide_password(Secret(b"arctangent"), SHARED, AUTHENTICATOR)
    assert hidden.hex() == "0dbe708d93d413ce3196e43f782a0aee"
    assert reveal_password(hidden, SHARED, AUTHENTICATOR) == Secret(b"arctangent")


@given(st.binary(max_size=128).filter(lambda octets: not octets.endswith(b"\0")))
def test_a_password_comes_back(password):
    hidden = hide_password(Secret(password), SHARED, AUTHENTICATOR)
    assert len(hidden) % 16 == 0
    assert len(hidden) >= 16
    assert reveal_password(hidden, SHARED, AUTHENTICATOR).reveal() == password


def test_a_password_that_is_too_long():
    with pytest.raises(ValueError, match="128"):
        hide_password(Secret(bytes(129)), SHARED, AUTHENTICATOR)


@given(st.binary(min_size=1, max_size=64))
def test_a_key_comes_back(key):
    data = hide_key(Secret(key), SHARED, AUTHENTICATOR, b"\x80\x01")
    assert data[:2] == b"\x80\x01"
    assert reveal_key(data, SHARED, AUTHENTICATOR).reveal() == key


def test_both_keys_of_ms_chap():
    plain = bytes(range(32))
    data = hide_password(Secret(plain), SHARED, AUTHENTICATOR)
    lan_manager, nt = reveal_ms_chap_keys(data, SHARED, AUTHENTICATOR)
    assert (lan_manager.reveal(), nt.reveal()) == (plain[:8], plain[8:24])


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x01", b"\x80\x01" + bytes(15)])
def test_keys_of_impossible_lengths(data):
    with pytest.raises(MalformedError):
        reveal_key(data, SHARED, AUTHENTICATOR)
    with pytest.raises(MalformedError):
        reveal_ms_chap_keys(bytes(16), SHARED, AUTHENTICATOR)


@given(st.binary(min_size=18, max_size=18), st.binary(min_size=1, max_size=9))
def test_a_wrong_secret_gives_another_key_or_none(data, secret):
    try:
        key = reveal_key(data, Secret(secret), AUTHENTICATOR)
    except MalformedError:
        return
    assert 1 <= len(key) <= 15
