"""Names, and the promise that nothing of these prints a secret."""

import pytest

from holdfast.ppp.authentication import (
    AuthenticatorConfig,
    ChapMd5Exchange,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
    PeerCredentials,
    Verdict,
)
from holdfast.ppp.authentication_packets import parse_failure, parse_request, parse_value
from holdfast.ppp.authentication_types import Exchange, without_domain
from holdfast.ppp.credentials import StoredSecret
from holdfast.ppp.crypto import nt_password_hash
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.secret import Secret
from support.authentication import METHODS, PASSWORD, Pair


@pytest.mark.parametrize(
    ("name", "text"), [(b"alice", "alice"), (b"Zo\xeb", "Zo\\xeb"), (b"a\nb\x1b[31m", "a\\x0ab\\x1b[31m"), (b"", "")]
)
def test_names_are_safe_to_print(name: bytes, text: str) -> None:
    assert Exchange(name, 1).user == text
    assert Exchange(name, 1).account == text


@pytest.mark.parametrize(
    ("name", "account"),
    [(b"BIGCO\\johndoe", b"johndoe"), (b"johndoe", b"johndoe"), (b"\\x", b"x"), (b"a\\b\\c", b"c"), (b"", b"")],
)
def test_the_domain_is_not_part_of_the_account(name: bytes, account: bytes) -> None:
    assert without_domain(name) == account
    assert Exchange(name, 1).user.endswith(account.decode())
    assert Exchange(name, 1).account == account.decode()


SECRET = b"tiger-7-hidden"
_WRAPPED = Secret(SECRET)


@pytest.mark.parametrize(
    "thing",
    [
        PapExchange(b"u", 1, _WRAPPED),
        ChapMd5Exchange(b"u", 1, _WRAPPED, _WRAPPED),
        MsChapExchange(b"u", 1, _WRAPPED, _WRAPPED, _WRAPPED),
        MsChapV2Exchange(b"u", 1, _WRAPPED, _WRAPPED, _WRAPPED),
        Verdict.accept(MppeKeyPair(_WRAPPED, _WRAPPED, _WRAPPED), _WRAPPED),
        PeerCredentials("u", _WRAPPED),
        StoredSecret(_WRAPPED),
        parse_value(bytes((len(SECRET),)) + SECRET + b"name"),
        parse_request(b"\x01u" + bytes((len(SECRET),)) + SECRET),
        parse_failure(b"E=691 R=1 C=" + SECRET.hex().encode()),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_repr_hides_secrets(thing: object) -> None:
    assert thing is not None
    _assert_hidden(thing, [SECRET])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("password", [PASSWORD, b"wrong-guess"])
def test_nothing_of_an_authentication_prints_a_secret(method: str, password: bytes) -> None:
    pair = Pair(method, password=password, config=AuthenticatorConfig(max_attempts=2)).start()
    secrets = [password, nt_password_hash(password)]
    for exchange in pair.exchanges:
        for field in exchange.__dataclass_fields__:
            value = getattr(exchange, field)
            secrets += [value.reveal()] if isinstance(value, Secret) else []
    for outcome in (pair.authenticator.outcome, pair.peer.outcome):
        if outcome is not None and outcome.mppe is not None:
            secrets += [outcome.mppe.send.reveal(), outcome.mppe.receive.reveal()]
    for thing in (
        pair.authenticator,
        pair.peer,
        pair.authenticator.outcome,
        pair.authenticator.last_rejection,
        pair.peer.outcome,
        *pair.events,
        *pair.exchanges,
        *(pair.judged_by(exchange) for exchange in pair.exchanges),
    ):
        _assert_hidden(thing, secrets)


def _assert_hidden(thing: object, secrets: list[bytes]) -> None:
    for text in (repr(thing), str(thing), f"{thing}"):
        for secret in secrets:
            if len(secret) < 4 or not any(secret):
                continue
            assert secret.hex() not in text.lower()
            assert repr(secret)[2:-1] not in text
            assert secret.decode("latin-1") not in text
