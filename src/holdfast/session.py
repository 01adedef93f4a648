"""One subscriber: a call and the PPP link on it, composed. Still no I/O, no clock, no randomness.

A session lives from the moment its call is agreed until it says `Finished`, exactly once and for exactly one
reason. It passes the link's needs (`holdfast.ppp.commands`) on to whoever drives it and adds two of its own:
`ClearCall`, when the call must be cleared on the control connection, and `Finished`, after which the driver
forgets it. The first cause of an end is the reason; what follows from it is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from holdfast.errors import DisconnectReason
from holdfast.events import Event
from holdfast.machine import Entropy, Timers, earliest
from holdfast.ppp.authentication_types import Answer
from holdfast.ppp.commands import AddressAssignment, AddressRefusal, LinkFinished, OpenNetwork
from holdfast.ppp.config import LinkConfig
from holdfast.ppp.link import Ending, Link, Phase


class SessionState(StrEnum):
    """How far a session is."""

    SETUP = "setup"
    UP = "up"
    CLOSING = "closing"
    ENDED = "ended"


class Timer(StrEnum):
    """What a session waits for besides its link's own timers."""

    FIRST_FRAME = "first_frame"
    """The peer's first frame, before LCP speaks: a Configure-Request sent while the peer still starts its PPP
    is lost and costs a restart interval."""
    AUTHENTICATION = "authentication"
    """The peer must have proved who it is by then."""
    SETUP = "setup"
    """Traffic must be possible by then."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Times of a session in seconds, the timeouts counted from the call. `first_frame_wait` 0 lets LCP speak at once
    (the calling side does); `authentication_timeout` 0 sets none."""

    first_frame_wait: float = 0.7
    setup_timeout: float = 60.0
    authentication_timeout: float = 0.0


@dataclass(frozen=True, slots=True)
class ClearCall:
    """The call must be cleared on the control connection."""

    detail: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The session is over: release everything. Said exactly once, after `ClearCall` where one was due."""

    reason: DisconnectReason
    evidence: str


class Session:
    """A call and its link. `call_cleared` and `connection_lost` are told by the control connection's driver."""

    __slots__ = ("_commands", "_config", "_ending", "_link", "_timers", "session_id", "state")

    def __init__(self, session_id: str, link: Link, config: SessionConfig) -> None:
        self.session_id = session_id
        self.state = SessionState.SETUP
        self._link = link
        self._config = config
        self._ending: Ending | None = None
        self._timers: Timers[Timer] = Timers()
        self._commands: list[Any] = []

    # --- verbs ---------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """The call is agreed and GRE may flow."""
        self._timers.start(Timer.SETUP, now + self._config.setup_timeout)
        if self._config.authentication_timeout > 0:
            self._timers.start(Timer.AUTHENTICATION, now + self._config.authentication_timeout)
        self._link.open(now)
        if self._config.first_frame_wait > 0:
            self._timers.start(Timer.FIRST_FRAME, now + self._config.first_frame_wait)
        else:
            self._link.lower_up(now)
        self._after(now)

    def receive(self, frame: bytes, now: float) -> None:
        """Take a PPP frame (protocol field and information); never raises for what a peer sent."""
        if self.state is SessionState.ENDED:
            return
        self._begin_if_waiting(now)
        self._link.receive(frame, now)
        self._after(now)

    def close(self, reason: DisconnectReason, evidence: str, now: float) -> None:
        """End politely: LCP Terminate-Request, then the call is cleared."""
        if self.state in (SessionState.CLOSING, SessionState.ENDED):
            return
        self._remember(reason, evidence)
        self.state = SessionState.CLOSING
        self._begin_if_waiting(now)
        self._link.close(reason, evidence, now)
        self._after(now)

    def abort(self, reason: DisconnectReason, evidence: str, now: float) -> None:
        """End at once: the peer cannot be reached any more, but the control connection may."""
        self._end(reason, evidence, now, clear=True)

    def call_cleared(self, reason: DisconnectReason, evidence: str, now: float) -> None:
        """The call is gone on the control connection; nothing more can be said to the peer."""
        unjudged = ", before anybody had judged its credentials" if self._link.judging else ""
        known = self._link.ending or Ending(reason, evidence + unjudged, by_peer=False)
        self._end(known.reason, known.evidence, now, clear=False)

    def credentials_verified(self, answer: Answer, now: float) -> None:
        """Answer `VerifyCredentials`."""
        if self.state is not SessionState.ENDED:
            self._link.credentials_verified(answer, now)
            self._after(now)

    def challenge_again(self, now: float) -> bool:
        """Let the peer of a session that is up prove itself once more; return whether its method can ask for that."""
        asked = self.state is SessionState.UP and self._link.challenge_again(now)
        self._after(now)
        return asked

    def withdraw_challenge(self) -> None:
        """Nobody can judge the answer to `challenge_again`: the session goes on as it was."""
        self._link.withdraw_challenge()

    def address_assigned(self, answer: AddressAssignment | AddressRefusal, now: float) -> None:
        """Answer `AssignAddress`."""
        if self.state is not SessionState.ENDED:
            self._link.address_assigned(answer, now)
            self._after(now)

    def mppe_desync(self, now: float) -> None:
        """The engine lost MPPE synchronisation."""
        if self.state is not SessionState.ENDED:
            self._link.mppe_desync(now)
            self._after(now)

    def time_remaining(self, seconds: int, text: str, now: float) -> None:
        """Tell the peer how long the session may last yet (RFC 1570 section 2.2)."""
        if self.state is SessionState.UP:
            self._link.time_remaining(seconds, now, text)

    def probe(self, now: float) -> None:
        """Ask the peer for a sign of life (LCP Echo-Request); whatever comes next from it is one."""
        if self.state is SessionState.UP:
            self._link.send_echo(now)

    # --- the face of a machine -----------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next, or None."""
        if self.state is SessionState.ENDED:
            return None
        return earliest((self._timers.deadline, self._link.deadline))

    def handle_timer(self, now: float) -> None:
        """Act on what is due."""
        for timer in self._timers.expired(now):
            if timer is Timer.FIRST_FRAME:
                self._link.lower_up(now)
            elif timer is Timer.SETUP:
                self._setup_timed_out(now)
            else:
                self._authentication_timed_out(now)
        deadline = self._link.deadline
        if deadline is not None and deadline <= now:
            self._link.handle_timer(now)
        self._after(now)

    def outgoing(self) -> list[bytes]:
        """Drain PPP frames: two octets of protocol and the information."""
        return self._link.outgoing()

    def commands(self) -> list[Any]:
        """Drain the needs, in order."""
        drained, self._commands = self._commands, []
        return drained

    def events(self) -> list[Event]:
        """Drain the facts."""
        return self._link.events()

    @property
    def ending(self) -> tuple[DisconnectReason, str] | None:
        """Why the session ends, from the moment that is known; None while it lives."""
        return None if self._ending is None else (self._ending.reason, self._ending.evidence)

    @property
    def trace(self) -> bool:
        """Whether each PPP control packet is told as `PppPacketSeen`."""
        return self._link.trace

    @trace.setter
    def trace(self, wanted: bool) -> None:
        self._link.trace = wanted

    def status(self) -> dict[str, Any]:
        """Return what is known of the session as plain data."""
        return {"id": self.session_id, "state": str(self.state), **self._link.status()}

    def snapshot(self) -> dict[str, Any]:
        """Return everything that continues this session, as plain data. Drain it first; it holds keys in the clear."""
        return {
            "session_id": self.session_id,
            "state": self.state.value,
            "link": self._link.snapshot(),
            "timers": [(timer.value, at) for timer, at in self._timers.snapshot()],
            "ending": None if self._ending is None else list(self._ending),
        }

    @classmethod
    def restore(
        cls, state: Mapping[str, Any], config: SessionConfig, link_config: LinkConfig, entropy: Entropy
    ) -> "Session":
        """Continue what `snapshot` wrote down."""
        session = cls(state["session_id"], Link.restore(state["link"], link_config, entropy), config)
        session.state = SessionState(state["state"])
        session._timers.restore([(Timer(name), at) for name, at in state["timers"]])
        if state["ending"] is not None:
            reason, evidence, by_peer = state["ending"]
            session._ending = Ending(DisconnectReason(reason), evidence, by_peer)
        return session

    # --- inside --------------------------------------------------------------------------------------------

    def _begin_if_waiting(self, now: float) -> None:
        if self._timers.running(Timer.FIRST_FRAME):
            self._timers.stop(Timer.FIRST_FRAME)
            self._link.lower_up(now)

    def _setup_timed_out(self, now: float) -> None:
        waited = f"no traffic was possible {self._config.setup_timeout:g} s after the call came up"
        reason = DisconnectReason.NEGOTIATION_FAILED
        self._close_late(reason, f"{waited}; {self._link.phase} was as far as it got", now)

    def _authentication_timed_out(self, now: float) -> None:
        if self._link.phase is Phase.NETWORK:
            return
        seconds = f"{self._config.authentication_timeout:g} s after the call came up"
        if self._link.phase is Phase.AUTHENTICATE:
            evidence = f"the peer had not proved who it is {seconds}"
            self._close_late(DisconnectReason.AUTH_FAILED, evidence, now)
        else:
            evidence = f"authentication had not begun {seconds}; {self._link.phase} was as far as it got"
            self.close(DisconnectReason.NEGOTIATION_FAILED, evidence, now)

    def _close_late(self, reason: DisconnectReason, evidence: str, now: float) -> None:
        """It took too long: the peer's fault, unless it waits for us."""
        if self._link.judging:
            reason, evidence = DisconnectReason.AUTH_UNAVAILABLE, f"{evidence}: nobody has judged its credentials yet"
        self.close(reason, evidence, now)

    def _remember(self, reason: DisconnectReason, evidence: str) -> None:
        if self._ending is None:
            self._ending = Ending(reason, evidence, by_peer=False)

    def _after(self, now: float) -> None:
        """Take over what the link asks for, and notice how far it is."""
        for command in self._link.commands():
            if isinstance(command, LinkFinished):
                self._end(command.reason, command.evidence, now, clear=True)
                return
            self._commands.append(command)
            if isinstance(command, OpenNetwork) and self.state is SessionState.SETUP:
                self.state = SessionState.UP
                self._timers.stop(Timer.SETUP)
                self._timers.stop(Timer.AUTHENTICATION)

    def _end(self, reason: DisconnectReason, evidence: str, now: float, *, clear: bool) -> None:
        if self.state is SessionState.ENDED:
            return
        self.state = SessionState.ENDED
        self._remember(reason, evidence)
        self._timers.stop_all()
        self._link.lower_down(now)
        assert self._ending is not None
        ending = self._ending
        self._commands = [command for command in self._commands if not isinstance(command, LinkFinished)]
        if clear:
            self._commands.append(ClearCall(ending.evidence))
        self._commands.append(Finished(ending.reason, ending.evidence))
