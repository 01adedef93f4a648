"""Judging exchanges: what each kind of stored secret is good for."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.ppp.authentication import ChapMd5Exchange, Method, MsChapExchange, MsChapV2Exchange, PapExchange
from holdfast.ppp.authentication_types import Exchange
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.crypto import challenge_response, lm_password_hash, nt_password_hash
from holdfast.secret import Secret
from support.authentication import METHODS, PASSWORD, Pair

BY_PASSWORD = StoredSecret.from_password(Secret(PASSWORD))
BY_HASH = StoredSecret.from_nt_hash(Secret(nt_password_hash(PASSWORD)))


def exchange_of(method: Method, user: str = "User", password: bytes = PASSWORD) -> Exchange:
    """Return what a real peer makes of a challenge."""
    return Pair(method, user=user, password=password).start().exchanges[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stored", [BY_PASSWORD, BY_HASH], ids=["password", "NT hash"])
def test_what_is_enough_for_what(method: Method, stored: StoredSecret) -> None:
    verdict = verify(exchange_of(method), stored)
    if method is Method.CHAP_MD5 and stored is BY_HASH:
        assert not verdict.accepted
        assert (verdict.retry, verdict.reason) == (True, DisconnectReason.AUTH_FAILED)
        assert "NT hash" in verdict.detail
        assert verdict.message == ""
    else:
        assert verdict.accepted
    assert not verify(exchange_of(method, password=b"guess"), stored).accepted


@pytest.mark.parametrize("stored", [BY_PASSWORD, BY_HASH], ids=["password", "NT hash"])
def test_keys_after_ms_chap_v1(stored: StoredSecret) -> None:
    """40 and 56 bit come from the LAN Manager hash, which an NT hash does not give."""
    verdict = verify(exchange_of(Method.MS_CHAP), stored)
    assert verdict.mppe is not None
    assert verdict.mppe.strengths == ((128, 56, 40) if stored is BY_PASSWORD else (128,))


@pytest.mark.parametrize("method", METHODS)
def test_the_domain_does_not_matter(method: Method) -> None:
    exchange = exchange_of(method, user="BIGCO\\User")
    assert verify(exchange, BY_HASH if method is not Method.CHAP_MD5 else BY_PASSWORD).accepted
    assert (exchange.user, exchange.account) == ("BIGCO\\User", "User")


@pytest.mark.parametrize("method", METHODS)
def test_a_user_that_does_not_exist_looks_like_a_wrong_password(method: Method) -> None:
    unknown = verify(exchange_of(method), None)
    wrong = verify(exchange_of(method, password=b"guess"), BY_PASSWORD)
    assert (unknown.result_code, unknown.retry, unknown.message) == (wrong.result_code, wrong.retry, wrong.message)
    assert unknown.detail != wrong.detail
    assert not verify(exchange_of(method, password=b""), None).accepted


@pytest.mark.parametrize("password", [b"", b"x" * 254, "Grüße 😀".encode(), b"\xff\xfe"])
@pytest.mark.parametrize("method", METHODS)
def test_passwords_of_every_kind(method: Method, password: bytes) -> None:
    stored = StoredSecret.from_password(Secret(password))
    assert verify(exchange_of(method, password=password), stored).accepted
    assert not verify(exchange_of(method, password=password + b"1"), stored).accepted


def test_a_lan_manager_response_is_refused_even_when_it_is_right() -> None:
    lm_hash = lm_password_hash(PASSWORD)
    assert lm_hash is not None
    response = Secret(challenge_response(bytes(8), lm_hash))
    exchange = MsChapExchange(b"User", 1, Secret(bytes(8)), response, Secret(bytes(24)), flags=0)
    verdict = verify(exchange, BY_PASSWORD)
    assert not verdict.accepted
    assert verdict.reason is DisconnectReason.AUTH_REFUSED


@pytest.mark.parametrize(
    "exchange",
    [
        PapExchange(b"User", 1, Secret(b"")),
        ChapMd5Exchange(b"User", 1, Secret(b""), Secret(b"")),
        MsChapExchange(b"User", 1, Secret(bytes(8)), Secret(b""), Secret(b"")),
        MsChapV2Exchange(b"User", 1, Secret(b""), Secret(b""), Secret(b"")),
        Exchange(b"User", 1),
    ],
    ids=lambda exchange: type(exchange).__name__,
)
def test_empty_values_do_not_pass(exchange: Exchange) -> None:
    assert not verify(exchange, BY_PASSWORD).accepted


def test_a_stored_secret_is_one_of_two() -> None:
    for wrong in (None, Secret(b""), Secret(bytes(15))):
        with pytest.raises(ValueError, match="16 octets"):
            StoredSecret(nt_hash=wrong)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stored", [BY_PASSWORD, BY_HASH], ids=["password", "NT hash"])
def test_a_claim_that_nobody_could_make_does_not_tell_which_names_are_known(method, stored) -> None:
    """Asked in a way that can never be right, a known name must answer like an unknown one, and cost as much."""
    claims = [exchange_of(method, password=b"guess")]
    if method is Method.MS_CHAP:
        claims.append(MsChapExchange(b"User", 1, Secret(bytes(8)), Secret(bytes(24)), Secret(bytes(24)), flags=0))
    for claim in claims:
        known, unknown = verify(claim, stored), verify(claim, None)
        assert (known.retry, known.reason, known.message, known.result_code) == (
            unknown.retry,
            unknown.reason,
            unknown.message,
            unknown.result_code,
        )
