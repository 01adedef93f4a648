"""Both directions of authentication on one link: the peer proves itself to us, we prove ourselves to the peer.

Each direction is a machine of its own, chosen by the Authentication-Protocol that LCP agreed for it; often there is
only one. CHAP in both directions shares a protocol number, so packets find their machine by code.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.events import Direction
from holdfast.machine import Entropy, earliest
from holdfast.ppp.authentication import (
    PROTOCOLS,
    Answer,
    Authenticator,
    AuthOutcome,
    Method,
    Peer,
    VerifyCredentials,
    for_authenticator,
    make_authenticator,
    make_peer,
    restore_authenticator,
    restore_peer,
)
from holdfast.ppp.config import LinkConfig
from holdfast.ppp.control_protocol_types import Outbox
from holdfast.ppp.framing import join
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.packet import parse
from holdfast.wire.errors import MalformedError


class LinkAuthentication:
    """The machines of the current Authenticate phase; they stay, because a peer may repeat itself later."""

    __slots__ = ("_authenticator", "_config", "_entropy", "_last", "_outbox", "_peer")

    def __init__(self, config: LinkConfig, entropy: Entropy, outbox: Outbox) -> None:
        self._config, self._entropy, self._outbox = config, entropy, outbox
        self._authenticator: Authenticator | None = None
        self._peer: Peer | None = None
        self._last = b""
        """The last frame of our authenticator."""

    def start(self, demanded: Method | None, asked: Method | None, mtu: int, now: float) -> None:
        """Begin. `demanded`: how the peer proves itself; `asked`: how we do; None for a direction without.

        `mtu`: octets of the largest packet that the peer takes.
        """
        self.stop()
        if demanded is not None:
            config = replace(self._config.authenticator, mtu=mtu)
            self._authenticator = make_authenticator(demanded, config, self._entropy)
            self._authenticator.start(now)
        if asked is not None and self._config.credentials is not None:
            self._peer = make_peer(asked, self._config.credentials, self._entropy)
            self._peer.start(now)

    def stop(self) -> None:
        """Forget both directions."""
        self._authenticator = None
        self._peer = None
        self._last = b""

    @property
    def _machines(self) -> list[Authenticator | Peer]:
        return [machine for machine in (self._authenticator, self._peer) if machine is not None]

    # --- what came of it -----------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """Whether every direction succeeded; without any direction this is so at once."""
        return all(machine.outcome is not None and machine.outcome.succeeded for machine in self._machines)

    @property
    def failure(self) -> AuthOutcome | None:
        """The first direction that failed."""
        outcomes = (machine.outcome for machine in self._machines)
        return next((outcome for outcome in outcomes if outcome is not None and not outcome.succeeded), None)

    @property
    def rejection(self) -> AuthOutcome | None:
        """The last attempt of the peer that was turned down while another one is allowed."""
        machine = self._authenticator
        return None if machine is None or machine.outcome is not None else machine.last_rejection

    @property
    def judging(self) -> bool:
        """Whether the peer has said who it is and waits for our verdict."""
        return self._authenticator is not None and self._authenticator.judging

    @property
    def outcome(self) -> AuthOutcome | None:
        """Who the session belongs to: what the peer proved, else what we did."""
        return next((machine.outcome for machine in self._machines if machine.outcome is not None), None)

    @property
    def we_failed(self) -> bool:
        """Whether the failure is ours: we did not convince the peer, or the peer did not convince us in return."""
        return self._peer is not None and self._peer.outcome is not None and not self._peer.outcome.succeeded

    @property
    def keys(self) -> MppeKeyPair | None:
        """The MPPE keys of this side, None when no method gave any."""
        outcomes = (machine.outcome for machine in self._machines)
        return next((outcome.mppe for outcome in outcomes if outcome is not None and outcome.mppe is not None), None)

    # --- input ---------------------------------------------------------------------------------------------

    def receive(self, protocol: int, information: bytes, now: float) -> bool:
        """Take a packet of an authentication protocol; return whether one of the machines speaks it."""
        machine = self._machine_for(protocol, information[0] if information else 0)
        if machine is None:
            return False
        self._trace(Direction.RECEIVED, protocol, information)
        machine.receive(information, now)
        return True

    def _machine_for(self, protocol: int, code: int) -> Authenticator | Peer | None:
        speakers = [machine for machine in self._machines if PROTOCOLS[machine.method] == protocol]
        for machine in speakers:
            if isinstance(machine, Authenticator) == for_authenticator(machine.method, code):
                return machine
        return speakers[0] if speakers else None

    def credentials_verified(self, answer: Answer, now: float) -> None:
        """Pass on the answer to `VerifyCredentials`."""
        if self._authenticator is not None:
            self._authenticator.credentials_verified(answer, now)

    def challenge_again(self, now: float) -> bool:
        """Ask the peer once more; return whether its method can."""
        return self._authenticator is not None and self._authenticator.challenge_again(now)

    def withdraw(self) -> None:
        """Forget that the peer was asked once more."""
        if self._authenticator is not None:
            self._authenticator.withdraw()

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next."""
        return earliest(machine.deadline for machine in self._machines)

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due."""
        for machine in self._machines:
            machine.handle_timer(now)

    # --- output --------------------------------------------------------------------------------------------

    def drain(self) -> list[VerifyCredentials]:
        """Move packets and events to the outbox; return the questions."""
        questions: list[VerifyCredentials] = []
        for machine in self._machines:
            protocol = PROTOCOLS[machine.method]
            for information in machine.outgoing():
                self._send(protocol, information)
                if machine is self._authenticator:
                    self._last = information
            self._outbox.events += machine.events()
            questions += machine.commands()
        return questions

    def repeat(self) -> None:
        """Send the last answer of our authenticator again: it may have been lost."""
        if self._last and self._authenticator is not None:
            self._send(PROTOCOLS[self._authenticator.method], self._last)

    def _send(self, protocol: int, information: bytes) -> None:
        self._outbox.frames.append(join(protocol, information))
        self._trace(Direction.SENT, protocol, information)

    def _trace(self, direction: Direction, protocol: int, information: bytes) -> None:
        if not self._outbox.trace:
            return
        try:
            self._outbox.seen(direction, protocol, parse(information))
        except MalformedError:
            return

    # --- state as data -------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data. It holds keys: handle as a secret."""
        return {
            "authenticator": None if self._authenticator is None else self._authenticator.snapshot(),
            "peer": None if self._peer is None else self._peer.snapshot(),
            "last": self._last,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self._last = state["last"]
        if state["authenticator"] is not None:
            config = self._config.authenticator
            self._authenticator = restore_authenticator(state["authenticator"], config, self._entropy)
        if state["peer"] is not None and self._config.credentials is not None:
            self._peer = restore_peer(state["peer"], self._config.credentials, self._entropy)
