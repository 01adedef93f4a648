"""Judging what a peer claims, against the local sources of users."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from holdfast.errors import DisconnectReason, StateError
from holdfast.policy.directory import CredentialsSource, Directory
from holdfast.policy.records import AccountState, Credentials, SecretKind
from holdfast.ppp.authentication_types import Exchange, MsChapError, Verdict
from holdfast.ppp.credentials import StoredSecret, verify


class Authenticator:
    """Answers `VerifyCredentials` from the sources given, the first that knows a name decides."""

    def __init__(self, sources: Sequence[CredentialsSource], clock: Callable[[], float] = time.time) -> None:
        self.directory = Directory(sources)
        self._clock = clock

    def verify(self, exchange: Exchange) -> Verdict:
        """Judge one exchange. The verdict carries the canonical user name.

        That an account is disabled or expired is told only to one who knows its password, and a name that nobody
        has costs the same work as a wrong password: a stranger learns nothing about names.
        """
        try:
            answer = self.directory.look_up(exchange.name, self._clock())
        except StateError as error:
            return Verdict.reject(detail=error.what, reason=DisconnectReason.INTERNAL_ERROR)
        if answer.credentials is None:
            return verify(exchange, None)
        verdict = verify(exchange, stored_secret(answer.credentials))
        if verdict.accepted and answer.state in _REFUSALS:
            verdict = _REFUSALS[answer.state]
        return replace(verdict, user=answer.credentials.record.name)


def stored_secret(credentials: Credentials) -> StoredSecret:
    """Return the secret as the protocols take it."""
    if credentials.record.kind is SecretKind.NT_HASH:
        return StoredSecret.from_nt_hash(credentials.secret)
    return StoredSecret.from_password(credentials.secret)


def _refusal(result_code: int, message: str) -> Verdict:
    return Verdict.reject(
        result_code, message=message, reason=DisconnectReason.AUTH_REFUSED, detail=f"right password, but {message}"
    )


_REFUSALS = {
    AccountState.DISABLED: _refusal(MsChapError.ACCT_DISABLED, "the account is disabled"),
    AccountState.EXPIRED: _refusal(MsChapError.PASSWD_EXPIRED, "the account has expired"),
    AccountState.NO_ADDRESS: _refusal(MsChapError.NO_DIALIN_PERMISSION, "the account may have no address"),
}
"""What a state that keeps a user out is on the wire (RFC 2759 section 6)."""
