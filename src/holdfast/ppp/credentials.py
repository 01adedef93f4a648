"""Judge an exchange against a stored password or NT hash. Pure functions, constant-time comparisons."""

import hmac
from dataclasses import dataclass

from holdfast.errors import DisconnectReason
from holdfast.ppp.authentication_types import (
    ChapMd5Exchange,
    Exchange,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
    Verdict,
    without_domain,
)
from holdfast.ppp.crypto import (
    challenge_response,
    chap_md5_response,
    generate_authenticator_response,
    generate_nt_response,
    lm_password_hash,
    md4,
    nt_password_hash,
)
from holdfast.ppp.mppe import keys_from_ms_chap, keys_from_ms_chap_v2
from holdfast.secret import Secret


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """What is kept of a password: the password itself, or its NT hash (16 octets) only. ValueError for neither."""

    password: Secret | None = None
    nt_hash: Secret | None = None

    def __post_init__(self) -> None:
        if self.password is None and (self.nt_hash is None or len(self.nt_hash) != 16):
            raise ValueError("a stored secret needs a password or an NT hash of 16 octets")

    @classmethod
    def from_password(cls, password: Secret) -> "StoredSecret":
        """Keep the password (UTF-8): good for every method."""
        return cls(password=password)

    @classmethod
    def from_nt_hash(cls, nt_hash: Secret) -> "StoredSecret":
        """Keep the NT hash: good for MS-CHAP, MS-CHAPv2 and PAP, not for CHAP-MD5."""
        return cls(nt_hash=nt_hash)

    def reveal_nt_hash(self) -> bytes:
        """Return the NT hash, computed when only the password is kept."""
        if self.password is not None:
            return nt_password_hash(self.password.reveal())
        return b"" if self.nt_hash is None else self.nt_hash.reveal()

    def reveal_lm_hash(self) -> bytes | None:
        """Return the LAN Manager hash, None when the password is not kept or has none."""
        return None if self.password is None else lm_password_hash(self.password.reveal())


_NOBODY = StoredSecret(password=Secret(b""))


def verify(exchange: Exchange, stored: StoredSecret | None) -> Verdict:
    """Judge `exchange`. `stored` None is a user that does not exist: rejected after the same work as any other.

    A wrong password may be retried where the method allows it (the authenticator counts the attempts).
    """
    secret = _NOBODY if stored is None else stored
    verdict = _judge(exchange, secret)
    if stored is None and (verdict.accepted or verdict.reason is DisconnectReason.AUTH_FAILED):
        return Verdict.reject(retry=True, detail="unknown user")
    return verdict  # what is wrong with the claim itself is wrong whoever makes it, and must not tell who is known


def _judge(exchange: Exchange, stored: StoredSecret) -> Verdict:
    if isinstance(exchange, MsChapV2Exchange):
        return _verify_ms_chap_v2(exchange, stored)
    if isinstance(exchange, MsChapExchange):
        return _verify_ms_chap(exchange, stored)
    if isinstance(exchange, ChapMd5Exchange):
        return _verify_chap_md5(exchange, stored)
    if isinstance(exchange, PapExchange):
        return _verify_pap(exchange, stored)
    return Verdict.reject(detail="no way to judge this method", reason=DisconnectReason.AUTH_REFUSED)


def _wrong() -> Verdict:
    return Verdict.reject(retry=True, detail="wrong password")


def _verify_pap(exchange: PapExchange, stored: StoredSecret) -> Verdict:
    offered = nt_password_hash(exchange.password.reveal())
    return Verdict.accept() if hmac.compare_digest(offered, stored.reveal_nt_hash()) else _wrong()


def _verify_chap_md5(exchange: ChapMd5Exchange, stored: StoredSecret) -> Verdict:
    if stored.password is None:
        # To the peer, and to the budgets of failures, a wrong password: else it would tell that the name is known.
        return Verdict.reject(retry=True, detail="CHAP-MD5 needs the password, and only its NT hash is kept")
    expected = chap_md5_response(exchange.identifier, stored.password.reveal(), exchange.challenge.reveal())
    return Verdict.accept() if hmac.compare_digest(expected, exchange.response.reveal()) else _wrong()


def _verify_ms_chap(exchange: MsChapExchange, stored: StoredSecret) -> Verdict:
    if not exchange.flags & 1:
        detail = "the peer wants its LAN Manager response to count, which is refused"
        return Verdict.reject(detail=detail, reason=DisconnectReason.AUTH_REFUSED)
    nt_hash, challenge = stored.reveal_nt_hash(), exchange.challenge.reveal()
    if not hmac.compare_digest(challenge_response(challenge, nt_hash), exchange.nt_response.reveal()):
        return _wrong()
    return Verdict.accept(keys_from_ms_chap(challenge, md4(nt_hash), stored.reveal_lm_hash()))


def _verify_ms_chap_v2(exchange: MsChapV2Exchange, stored: StoredSecret) -> Verdict:
    nt_hash, account = stored.reveal_nt_hash(), without_domain(exchange.name)
    ours, theirs = exchange.authenticator_challenge.reveal(), exchange.peer_challenge.reveal()
    response = exchange.nt_response.reveal()
    if not hmac.compare_digest(generate_nt_response(ours, theirs, account, nt_hash), response):
        return _wrong()
    proof = generate_authenticator_response(nt_hash, response, theirs, ours, account)
    return Verdict.accept(keys_from_ms_chap_v2(nt_hash, response, is_server=True), Secret(proof))
