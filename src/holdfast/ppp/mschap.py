"""MS-CHAPv1 (RFC 2433) and MS-CHAPv2 (RFC 2759), both roles, on top of the CHAP machines."""

import hmac
from typing import ClassVar

from holdfast.errors import DisconnectReason
from holdfast.events import ImpostorSuspected
from holdfast.ppp.authentication_packets import (
    CHANGE_PASSWORD,
    FAILURE,
    SUCCESS_SIZE,
    ChapValue,
    build_failure,
    message_octets,
    parse_failure,
    parse_response,
    parse_response_v2,
    printable_text,
)
from holdfast.ppp.authentication_types import (
    Exchange,
    MsChapError,
    MsChapExchange,
    MsChapV2Exchange,
    Verdict,
    without_domain,
)
from holdfast.ppp.chap import ChapAuthenticator, ChapPeer
from holdfast.ppp.crypto import (
    challenge_response,
    generate_authenticator_response,
    generate_nt_response,
    lm_password_hash,
    md4,
    nt_password_hash,
)
from holdfast.ppp.mppe import keys_from_ms_chap, keys_from_ms_chap_v2
from holdfast.ppp.packet import Packet
from holdfast.secret import Secret

ERROR_TEXTS: dict[int, str] = {
    MsChapError.RESTRICTED_LOGON_HOURS: "not allowed at this hour",
    MsChapError.ACCT_DISABLED: "account disabled",
    MsChapError.PASSWD_EXPIRED: "password expired",
    MsChapError.NO_DIALIN_PERMISSION: "no permission to dial in",
    MsChapError.AUTHENTICATION_FAILURE: "wrong name or password",
    MsChapError.CHANGING_PASSWORD: "the password cannot be changed here",
}

NAMED_REASONS = frozenset(ERROR_TEXTS) - {MsChapError.AUTHENTICATION_FAILURE}
"""What a server says only where it knows the account. E=691 it says of anything, also while what it asks is away."""


def verdict_from_failure(text: bytes) -> Verdict:
    """Return the verdict that a worded Failure stands for: what RADIUS gives in MS-CHAP-Error (RFC 2548 2.1.5)."""
    failure = parse_failure(text)
    code = failure.error or MsChapError.AUTHENTICATION_FAILURE
    wrong = code == MsChapError.AUTHENTICATION_FAILURE
    return Verdict.reject(
        code,
        failure.retry,
        failure.message,
        DisconnectReason.AUTH_FAILED if wrong else DisconnectReason.AUTH_REFUSED,
        verbatim=text,
    )


class _MsChapAuthenticator(ChapAuthenticator):
    """What both versions share: retries, codes, and no change of passwords."""

    __slots__ = ()
    can_retry: ClassVar[bool] = True
    version: ClassVar[int]
    has_message: ClassVar[bool]

    def _result_code(self, verdict: Verdict) -> int:
        return verdict.result_code or MsChapError.AUTHENTICATION_FAILURE

    def _other_code(self, packet: Packet) -> None:
        name = CHANGE_PASSWORD.get(packet.code)
        if name is None or self._answered is None:
            super()._other_code(packet)
            return
        # Only E=648 invites this and the link ends with it, so one polite refusal is all that is owed.
        self._violation(f"{name} is not supported")
        self._send(FAILURE, packet.identifier, self._text(MsChapError.CHANGING_PASSWORD, False))

    def _next_challenge(self, verdict: Verdict) -> bytes:
        worded = parse_failure(verdict.verbatim).challenge
        if worded is not None and len(worded) == self.challenge_size:
            return worded.reveal()
        return super()._next_challenge(verdict)

    def _failure_message(self, verdict: Verdict, retry: bool) -> bytes:
        worded = parse_failure(verdict.verbatim)
        # Word for word, unless that would promise a retry that is not granted, or one with a challenge of its own.
        if worded.error and worded.retry == retry and worded.challenge == Secret(self._challenge):
            return verdict.verbatim
        return self._text(self._result_code(verdict), retry, verdict.message)

    def _text(self, code: int, retry: bool, message: str = "") -> bytes:
        words = message or ERROR_TEXTS.get(code, "authentication failed")
        return build_failure(code, retry, self._challenge, self.version, words if self.has_message else "")


class MsChapAuthenticator(_MsChapAuthenticator):
    """MS-CHAPv1: RFC 2433."""

    __slots__ = ()
    challenge_size: ClassVar[int] = 8
    version: ClassVar[int] = 2
    has_message: ClassVar[bool] = False  # RFC 2433 section 8 knows no M=

    def _exchange(self, identifier: int, response: ChapValue) -> Exchange | None:
        parsed = parse_response(response.value)
        return None if parsed is None else MsChapExchange(response.name, identifier, Secret(self._challenge), *parsed)


class MsChapV2Authenticator(_MsChapAuthenticator):
    """MS-CHAPv2: RFC 2759."""

    __slots__ = ()
    version: ClassVar[int] = 3
    has_message: ClassVar[bool] = True

    def _exchange(self, identifier: int, response: ChapValue) -> Exchange | None:
        parsed = parse_response_v2(response.value)
        if parsed is None:
            return None
        return MsChapV2Exchange(response.name, identifier, Secret(self._challenge), *parsed)

    def _success_message(self, verdict: Verdict) -> bytes | None:
        proof = verdict.authenticator_response
        if proof is None or len(proof) < SUCCESS_SIZE or not proof.reveal().startswith(b"S="):
            return None
        if len(proof) > SUCCESS_SIZE:
            return proof.reveal()
        return proof.reveal() + b" M=" + message_octets(verdict.message or "Access granted")


class _MsChapPeer(ChapPeer):
    """What both versions share: the text of a Failure."""

    __slots__ = ()

    def _refused(self, message: bytes) -> None:
        if self.outcome is not None and not self.outcome.succeeded:
            return
        failure = parse_failure(message)
        # R=1 asks a person for another password. Sending the same one again would only lock the account.
        known = failure.message or ERROR_TEXTS.get(failure.error)
        said = f"E={failure.error}: {known or 'authentication refused'}" if failure.error else printable_text(message)
        code = failure.error or MsChapError.AUTHENTICATION_FAILURE
        reason = DisconnectReason.AUTH_REFUSED if code in NAMED_REASONS else DisconnectReason.AUTH_FAILED
        self._fail(self.credentials.user, code, said or "authentication refused", reason)


class MsChapPeer(_MsChapPeer):
    """MS-CHAPv1: RFC 2433. The LAN Manager response is left empty, as its section 6 asks."""

    __slots__ = ()

    def _acceptable(self, challenge: bytes) -> bool:
        return len(challenge) == 8

    def _value(self) -> bytes:
        nt_hash = nt_password_hash(self.credentials.password.reveal())
        return bytes(24) + challenge_response(self._challenge, nt_hash) + b"\x01"

    def _granted(self, message: bytes) -> None:
        password = self.credentials.password.reveal()
        keys = keys_from_ms_chap(self._challenge, md4(nt_password_hash(password)), lm_password_hash(password))
        self._succeed(self.credentials.user, keys, printable_text(message))


class MsChapV2Peer(_MsChapPeer):
    """MS-CHAPv2: RFC 2759. A Success counts only with the right authenticator response (its section 5)."""

    __slots__ = ()

    def _acceptable(self, challenge: bytes) -> bool:
        return len(challenge) == 16

    @property
    def _account(self) -> bytes:
        return without_domain(self.credentials.user.encode())

    def _value(self) -> bytes:
        peer_challenge = self._entropy(16)
        nt_hash = nt_password_hash(self.credentials.password.reveal())
        response = generate_nt_response(self._challenge, peer_challenge, self._account, nt_hash)
        return peer_challenge + bytes(8) + response + b"\x00"

    def _granted(self, message: bytes) -> None:
        peer_challenge, nt_response = self._response[:16], self._response[24:48]
        nt_hash = nt_password_hash(self.credentials.password.reveal())
        expected = generate_authenticator_response(nt_hash, nt_response, peer_challenge, self._challenge, self._account)
        # Some peers leave out M= (poptop), some write the digits in lower case.
        if hmac.compare_digest(message[:SUCCESS_SIZE].upper(), expected):
            keys = keys_from_ms_chap_v2(nt_hash, nt_response, is_server=False)
            self._succeed(self.credentials.user, keys, printable_text(message[SUCCESS_SIZE:].removeprefix(b" M=")))
        else:
            self._unproven()

    def _unproven(self) -> None:
        detail = "the other side could not prove that it knows the password"
        self._events.append(ImpostorSuspected(self.method, self.credentials.user, detail))
        self._fail(self.credentials.user, 0, detail, DisconnectReason.AUTH_REFUSED)
