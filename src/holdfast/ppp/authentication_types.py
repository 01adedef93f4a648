"""The words that the authentication protocols share: methods, exchanges, verdicts, outcomes.

An authenticator never decides by itself. It collects what the peer sent into an `Exchange`, asks with the command
`VerifyCredentials`, and is told a `Verdict`; whoever holds the users (a table, RADIUS) is somewhere else. Everything
that would let a reader of a log sign in is a `Secret`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from holdfast.errors import DisconnectReason
from holdfast.ppp.framing import Protocol
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.secret import Secret
from holdfast.wire.text import composed, printable

MAX_NAME = 256
"""The longest user name taken from a peer (RFC 2759 section 4: 0 to 256 characters)."""


class Method(StrEnum):
    """How a peer proves who it is."""

    PAP = "pap"
    CHAP_MD5 = "chap-md5"
    MS_CHAP = "ms-chap"
    MS_CHAP_V2 = "ms-chap-v2"
    EAP = "eap"


PROTOCOLS: dict[Method, int] = {
    Method.PAP: Protocol.PAP,
    Method.CHAP_MD5: Protocol.CHAP,
    Method.MS_CHAP: Protocol.CHAP,
    Method.MS_CHAP_V2: Protocol.CHAP,
    Method.EAP: Protocol.EAP,
}
"""The PPP protocol number of each method."""

_OPTION_VALUES: dict[Method, bytes] = {
    Method.PAP: b"\xc0\x23",  # RFC 1334 section 2.1
    Method.CHAP_MD5: b"\xc2\x23\x05",  # RFC 1994 section 3
    Method.MS_CHAP: b"\xc2\x23\x80",  # RFC 2433 section 3
    Method.MS_CHAP_V2: b"\xc2\x23\x81",  # RFC 2759 section 2
    Method.EAP: b"\xc2\x27",  # RFC 2284 section 3.1
}
_METHODS = {value: method for method, value in _OPTION_VALUES.items()}


def lcp_option_value(method: Method) -> bytes:
    """Return the data of the LCP Authentication-Protocol option (type 3) that asks for `method`."""
    return _OPTION_VALUES[method]


def method_from_option(value: bytes) -> Method | None:
    """Return the method that the data of an Authentication-Protocol option asks for, None when it is unknown."""
    return _METHODS.get(bytes(value))


def without_domain(name: bytes) -> bytes:
    r"""Return the account part of `DOMAIN\user` (RFC 2433 section 6, RFC 2759 section 4)."""
    return name.rsplit(b"\\", 1)[-1]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One claim of a peer, with all that is needed to judge it. `name` is what the peer called itself, verbatim."""

    method: ClassVar[Method]
    name: bytes
    identifier: int

    @property
    def user(self) -> str:
        """The name as presented, as text in the form in which names are compared."""
        return composed(printable(self.name))

    @property
    def account(self) -> str:
        """The name without a Windows domain, as text."""
        return composed(printable(without_domain(self.name)))


@dataclass(frozen=True, slots=True)
class PapExchange(Exchange):
    """RFC 1334 section 2.2.1."""

    method: ClassVar[Method] = Method.PAP
    password: Secret


@dataclass(frozen=True, slots=True)
class ChapMd5Exchange(Exchange):
    """RFC 1994 section 4.1: the response has 16 octets."""

    method: ClassVar[Method] = Method.CHAP_MD5
    challenge: Secret
    response: Secret


@dataclass(frozen=True, slots=True)
class MsChapExchange(Exchange):
    """RFC 2433 section 6: challenge 8 octets, responses 24 each; `flags` bit 0 says that the NT response counts."""

    method: ClassVar[Method] = Method.MS_CHAP
    challenge: Secret
    lm_response: Secret
    nt_response: Secret
    flags: int = 1


@dataclass(frozen=True, slots=True)
class MsChapV2Exchange(Exchange):
    """RFC 2759 section 4: challenges of 16 octets, response of 24."""

    method: ClassVar[Method] = Method.MS_CHAP_V2
    authenticator_challenge: Secret
    peer_challenge: Secret
    nt_response: Secret
    flags: int = 0


@dataclass(frozen=True, slots=True)
class EapExchange(Exchange):
    """One EAP-Response, whole (RFC 3748 section 4), and what brought it about.

    `name`: the Identity. `mtu`: octets of the largest EAP packet that the peer takes. `server` and `state`: what the
    last `EapRequest` said, empty at first. `eap_type`: the Type of the method under way, 0 before there is one.
    """

    method: ClassVar[Method] = Method.EAP
    message: Secret
    mtu: int = 1400
    server: str = ""
    state: Secret = field(default_factory=lambda: Secret(b""))
    eap_type: int = 0


@dataclass(frozen=True, slots=True)
class EapRequest:
    """An answer that decides nothing yet: send this EAP-Request, and ask again with the peer's Response.

    `server` and `state` come back in that question. `patience`: seconds until the request is repeated, 0 for the usual.
    """

    message: Secret
    server: str = ""
    state: Secret = field(default_factory=lambda: Secret(b""))
    patience: float = 0.0


class MsChapError:
    """The E= codes (RFC 2433 section 8, RFC 2759 section 6)."""

    RESTRICTED_LOGON_HOURS = 646
    ACCT_DISABLED = 647
    PASSWD_EXPIRED = 648
    NO_DIALIN_PERMISSION = 649
    AUTHENTICATION_FAILURE = 691
    CHANGING_PASSWORD = 709


_OUR_FAULTS = (DisconnectReason.AUTH_UNAVAILABLE, DisconnectReason.INTERNAL_ERROR)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the holder of the users says about an exchange. Make one with `accept` or `reject`.

    `authenticator_response` is the 42-octet text `S=...` of MS-CHAPv2, with or without ` M=...` behind it.
    `verbatim` is the whole text of an MS-CHAP Failure, or the last EAP packet, when someone else (RADIUS) has
    worded it. `message` is text
    for the person at the other end, `detail` a sentence for our own log (the other end never sees it). `user`, when
    given, is the canonical name under which the session runs from here on.
    """

    accepted: bool
    mppe: MppeKeyPair | None = None
    authenticator_response: Secret | None = None
    message: str = ""
    result_code: int = 0
    retry: bool = False
    reason: DisconnectReason = DisconnectReason.AUTH_FAILED
    user: str = ""
    detail: str = ""
    verbatim: bytes = b""

    @classmethod
    def accept(
        cls,
        mppe: MppeKeyPair | None = None,
        authenticator_response: Secret | None = None,
        message: str = "",
        *,
        user: str = "",
    ) -> "Verdict":
        """Let the peer in."""
        return cls(True, mppe, authenticator_response, message, user=user)

    @classmethod
    def reject(
        cls,
        result_code: int = MsChapError.AUTHENTICATION_FAILURE,
        retry: bool = False,
        message: str = "",
        reason: DisconnectReason = DisconnectReason.AUTH_FAILED,
        *,
        user: str = "",
        detail: str = "",
        verbatim: bytes = b"",
    ) -> "Verdict":
        """Keep the peer out. With `retry` an MS-CHAP peer may try again (with a new challenge), up to the limit."""
        return cls(False, None, None, message, result_code, retry, reason, user, detail, verbatim)

    @classmethod
    def unavailable(cls, detail: str, *, user: str = "") -> "Verdict":
        """Nobody can judge the peer at the moment, and another try later may well succeed."""
        return cls(False, reason=DisconnectReason.AUTH_UNAVAILABLE, user=user, detail=detail)

    @property
    def undecided(self) -> bool:
        """Whether it says nothing about the peer: the fault is on our side."""
        return not self.accepted and self.reason in _OUR_FAULTS


Answer = Verdict | EapRequest
"""What `VerifyCredentials` may be answered with; `EapRequest` for EAP only."""


@dataclass(frozen=True, slots=True)
class VerifyCredentials:
    """Command: judge this exchange and call `credentials_verified(answer, now)`."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class AuthOutcome:
    """How an authentication ended. `mppe` holds the keys as seen from THIS side; `result_code` is E=, else 0."""

    succeeded: bool
    method: Method
    user: str
    mppe: MppeKeyPair | None
    result_code: int
    detail: str
    reason: DisconnectReason


@dataclass(frozen=True, slots=True)
class AuthTiming:
    """Seconds and counts. The first two are RFC 1661's restart timer and counter, used for requests and challenges.

    `answer_timeout`: how long a peer waits for the other side's next packet; `verification_timeout`: how long
    an authenticator waits for a verdict (RADIUS may need 60); `retry_timeout`: how long a person may
    take to type another password after R=1.
    """

    restart_interval: float = 3.0
    max_transmissions: int = 10
    answer_timeout: float = 60.0
    verification_timeout: float = 90.0
    retry_timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class AuthenticatorConfig:
    """How we ask. `name` goes into challenges, `max_attempts` counts the first try.

    `rechallenge_interval`: seconds between CHAP challenges after success (RFC 1994 section 2), None for never.
    `mtu`: octets of the largest packet that the peer takes; methods inside EAP fragment by it.
    """

    name: str = "holdfast"
    max_attempts: int = 3
    rechallenge_interval: float | None = None
    mtu: int = 1400
    timing: AuthTiming = AuthTiming()


@dataclass(frozen=True, slots=True)
class PeerCredentials:
    r"""What we prove ourselves with. `user` may be `DOMAIN\user`."""

    user: str
    password: Secret
    timing: AuthTiming = AuthTiming()
