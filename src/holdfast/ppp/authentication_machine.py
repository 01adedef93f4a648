"""What every authentication machine has in common: packets, drains, timers, the one outcome, snapshots.

The machines emit `AuthenticationSucceeded` and `AuthenticationFailed` themselves; whoever drives them passes these on
and adds none. A snapshot holds keys and passwords in the clear: it is for the successor process only. Drain a machine
before taking one; a verification that was under way is asked for again after `restore`.
"""

from dataclasses import fields
from enum import StrEnum
from typing import Any, ClassVar, Self

from holdfast.errors import DisconnectReason
from holdfast.events import AuthenticationFailed, AuthenticationSucceeded, Event, PppViolation
from holdfast.machine import Entropy, Timers
from holdfast.ppp.authentication_types import (
    Answer,
    AuthenticatorConfig,
    AuthOutcome,
    ChapMd5Exchange,
    EapExchange,
    EapRequest,
    Exchange,
    Method,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
    PeerCredentials,
    Verdict,
    VerifyCredentials,
)
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.packet import Packet, parse
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError

VIOLATIONS_TOLD = 8
"""A peer can fill nobody's log: after this many violations a machine discards in silence."""

_EXCHANGES: dict[Method, type[Exchange]] = {
    kind.method: kind for kind in (PapExchange, ChapMd5Exchange, MsChapExchange, MsChapV2Exchange, EapExchange)
}


class Timer(StrEnum):
    """The timers of authentication."""

    RESTART = "restart"
    """Send the request or challenge again."""
    ANSWER = "answer"
    """The other side owes us a packet."""
    VERIFICATION = "verification"
    """We wait for a verdict."""
    RECHALLENGE = "rechallenge"
    """Ask an authenticated peer once more."""


class AuthenticationMachine:
    """The half that authenticators and peers share."""

    __slots__ = ("_commands", "_entropy", "_events", "_outgoing", "_timers", "_violations", "method", "outcome")
    by_peer: ClassVar[bool]
    saved: ClassVar[tuple[str, ...]] = ("_violations",)
    """The slots that hold plain data and make up a snapshot."""

    def __init__(self, method: Method, entropy: Entropy) -> None:
        self.method = method
        self.outcome: AuthOutcome | None = None
        self._entropy = entropy
        self._timers: Timers[Timer] = Timers()
        self._outgoing: list[bytes] = []
        self._commands: list[VerifyCredentials] = []
        self._events: list[Event] = []
        self._violations = 0

    def start(self, now: float) -> None:
        """Begin; LCP has just opened."""
        raise NotImplementedError

    def receive(self, packet: bytes, now: float) -> None:
        """Take one PPP information field of this protocol."""
        try:
            parsed = parse(packet)
        except MalformedError as error:
            self._violation(str(error))
        else:
            self._handle(parsed, now)

    def _handle(self, packet: Packet, now: float) -> None:
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next, or None."""
        return self._timers.deadline

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due."""
        for name in self._timers.expired(now):
            self._expired(name, now)

    def _expired(self, name: Timer, now: float) -> None:
        raise NotImplementedError

    def outgoing(self) -> list[bytes]:
        """Drain the information fields to send."""
        drained, self._outgoing = self._outgoing, []
        return drained

    def commands(self) -> list[VerifyCredentials]:
        """Drain the questions."""
        drained, self._commands = self._commands, []
        return drained

    def events(self) -> list[Event]:
        """Drain the facts."""
        drained, self._events = self._events, []
        return drained

    def _send(self, code: int, identifier: int, data: bytes) -> bytes:
        packet = Packet(code, identifier, data).encode()
        self._outgoing.append(packet)
        return packet

    def _violation(self, detail: str) -> None:
        self._violations += 1
        if self._violations <= VIOLATIONS_TOLD:
            self._events.append(PppViolation(self.method, detail))

    def _succeed(
        self, user: str, mppe: MppeKeyPair | None, detail: str, *, eap_type: str = "", message: str = ""
    ) -> None:
        self._timers.stop_all()
        self.outcome = AuthOutcome(True, self.method, user, mppe, 0, detail, DisconnectReason.USER_REQUEST)
        self._events.append(AuthenticationSucceeded(self.method, user, self.by_peer, eap_type, message))

    def _fail(self, user: str, result_code: int, detail: str, reason: DisconnectReason) -> None:
        self._timers.stop_all()
        self._tell_failure(user, result_code, detail)
        self.outcome = AuthOutcome(False, self.method, user, None, result_code, detail, reason)

    def _tell_failure(self, user: str, result_code: int, detail: str) -> None:
        self._events.append(AuthenticationFailed(self.method, user, result_code, detail, self.by_peer))

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data. Handle as a secret."""
        state: dict[str, Any] = {name: getattr(self, name) for name in self.saved}
        state["method"] = str(self.method)
        state["timers"] = [(str(name), at) for name, at in self._timers.snapshot()]
        state["outcome"] = None if self.outcome is None else _save_outcome(self.outcome)
        return state

    def _load(self, state: dict[str, Any]) -> None:
        for name in self.saved:
            setattr(self, name, state[name])
        self._timers.restore((Timer(name), at) for name, at in state["timers"])
        self.outcome = None if state["outcome"] is None else _load_outcome(state["outcome"])


class Authenticator(AuthenticationMachine):
    """We demand that the peer proves itself."""

    __slots__ = ("_pending", "config", "last_rejection")
    by_peer: ClassVar[bool] = True

    def __init__(self, method: Method, config: AuthenticatorConfig, entropy: Entropy) -> None:
        super().__init__(method, entropy)
        self.config = config
        self._pending: Exchange | None = None
        self.last_rejection: AuthOutcome | None = None
        """The last attempt that was turned down; a peer that hangs up after one failed to authenticate."""

    def credentials_verified(self, answer: Answer, now: float) -> None:
        """Take the answer to `VerifyCredentials`; ignored when nothing was asked or it came too late."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        self._timers.stop(Timer.VERIFICATION)
        if isinstance(answer, EapRequest):
            self._go_on(pending, answer, now)
        else:
            self._decide(pending, answer, now)

    def challenge_again(self, now: float) -> bool:  # noqa: ARG002 - most methods have no way to
        """Ask a peer that proved itself once more; return whether the method can. The keys stay those of the first."""
        return False

    def withdraw(self) -> None:
        """Nobody can judge the peer's later answer: what it proved first goes on to hold."""
        self._pending = None
        self._timers.stop_all()

    def _go_on(self, exchange: Exchange, _request: EapRequest, now: float) -> None:
        """Ask the peer once more before there is a verdict: EAP alone has a place for that."""
        self._decide(exchange, Verdict.reject(detail="a second question where the method has only one"), now)

    def _decide(self, exchange: Exchange, verdict: Verdict, now: float) -> None:
        raise NotImplementedError

    @property
    def judging(self) -> bool:
        """Whether the peer waits for a verdict."""
        return self._pending is not None

    def _abstain(self, user: str, verdict: Verdict) -> None:
        """Nobody could judge the peer: end without an answer, so that the link is terminated.

        A Failure or Nak says that what the peer sent is wrong (RFC 1994 section 4.2, RFC 1334 section 2.2.2), E=691
        that its password is, and peers act on that: they ask a person for another password, or never try again. RFC
        1661 section 3.7 lets a link be terminated at any time, and doubts nobody's password. What a peer proved before
        goes on to hold.
        """
        if self.outcome is not None and self.outcome.succeeded:
            self.withdraw()
            return
        self._timers.stop_all()
        self.outcome = AuthOutcome(False, self.method, user, None, 0, verdict.detail, verdict.reason)

    def _nobody_judged(self, now: float) -> None:
        self.credentials_verified(Verdict.unavailable("nobody judged the credentials in time"), now)

    def _ask(self, exchange: Exchange, now: float) -> None:
        self._pending = exchange
        self._timers.stop_all()
        self._timers.start(Timer.VERIFICATION, now + self.config.timing.verification_timeout)
        self._commands.append(VerifyCredentials(exchange))

    def _note_rejection(self, user: str, verdict: Verdict, detail: str) -> None:
        self.last_rejection = AuthOutcome(False, self.method, user, None, verdict.result_code, detail, verdict.reason)

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data. Handle as a secret."""
        rejection = self.last_rejection
        return super().snapshot() | {
            "pending": None if self._pending is None else _save_exchange(self._pending),
            "last_rejection": None if rejection is None else _save_outcome(rejection),
        }

    @classmethod
    def restore(cls, state: dict[str, Any], config: AuthenticatorConfig, entropy: Entropy) -> Self:
        """Undo `snapshot`; a verification that was under way is asked for again."""
        machine = cls(Method(state["method"]), config, entropy)
        machine._load(state)
        if state["last_rejection"] is not None:
            machine.last_rejection = _load_outcome(state["last_rejection"])
        if state["pending"] is not None:
            machine._pending = _load_exchange(state["pending"])
            machine._commands.append(VerifyCredentials(machine._pending))
        return machine


class Peer(AuthenticationMachine):
    """We prove ourselves."""

    __slots__ = ("credentials",)
    by_peer: ClassVar[bool] = False

    def __init__(self, method: Method, credentials: PeerCredentials, entropy: Entropy) -> None:
        super().__init__(method, entropy)
        self.credentials = credentials

    @classmethod
    def restore(cls, state: dict[str, Any], credentials: PeerCredentials, entropy: Entropy) -> Self:
        """Undo `snapshot`."""
        machine = cls(Method(state["method"]), credentials, entropy)
        machine._load(state)
        return machine


def _save_exchange(exchange: Exchange) -> dict[str, Any]:
    values = {field.name: getattr(exchange, field.name) for field in fields(exchange)}
    plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in values.items()}
    return plain | {"method": str(exchange.method)}


def _load_exchange(state: dict[str, Any]) -> Exchange:
    kind = _EXCHANGES[Method(state["method"])]
    secrets = {field.name for field in fields(kind) if field.type is Secret}
    values: dict[str, Any] = {name: value for name, value in state.items() if name != "method"}
    values |= {name: Secret(values[name]) for name in secrets}
    return kind(**values)


def _save_outcome(outcome: AuthOutcome) -> dict[str, Any]:
    state = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    mppe = None if outcome.mppe is None else outcome.mppe.snapshot()
    return state | {"method": str(outcome.method), "reason": str(outcome.reason), "mppe": mppe}


def _load_outcome(state: dict[str, Any]) -> AuthOutcome:
    mppe = None if state["mppe"] is None else MppeKeyPair.restore(state["mppe"])
    method, reason = Method(state["method"]), DisconnectReason(state["reason"])
    return AuthOutcome(**(state | {"method": method, "reason": reason, "mppe": mppe}))
