"""One PPP link: LCP, authentication, encryption and addresses composed, without I/O (RFC 1661 section 3).

```
        Up            Opened            Success               Close, Terminate-Request
 Dead ------> Establish ------> Authenticate ------> Network ------> Terminate ------> Dead
```

`receive` takes frames as the engine hands them up, `outgoing` gives frames as the engine takes them: a protocol
field of two octets, then the information. Execute `commands()` before sending `outgoing()` (see `commands`).
Whatever happens, a link ends with exactly one `LinkFinished` command and one `LinkTerminated` event, which carry
the first reason that was found.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from holdfast.errors import DisconnectReason
from holdfast.events import Event, LcpOpened, LinkTerminated
from holdfast.machine import Entropy, earliest
from holdfast.ppp.authentication import Answer, Method, can_prove
from holdfast.ppp.automaton import State
from holdfast.ppp.commands import (
    AddressAssignment,
    AddressRefusal,
    ConfigureLink,
    LinkCommand,
    LinkFinished,
    RequireMppe,
)
from holdfast.ppp.config import MPPE_OVERHEAD, LinkConfig, MppePolicy
from holdfast.ppp.control_protocol_types import Failure, Negotiation, Outbox
from holdfast.ppp.framing import Protocol, split
from holdfast.ppp.lcp import Lcp
from holdfast.ppp.lcp_rules import LcpRules
from holdfast.ppp.link_authentication import LinkAuthentication
from holdfast.ppp.link_network import LinkNetwork
from holdfast.ppp.packet import AUTHENTICATION_PROTOCOLS
from holdfast.ppp.termination import terminate_cause, terminate_words


class Phase(StrEnum):
    """RFC 1661 section 3.2."""

    DEAD = "dead"
    ESTABLISH = "establish"
    AUTHENTICATE = "authenticate"
    NETWORK = "network"
    TERMINATE = "terminate"


_EXPLAINED = {DisconnectReason.AUTH_UNAVAILABLE: (None, DisconnectReason.NEGOTIATION_FAILED)}
"""What a peer may say of its goodbye so that what happened before explains it: a person who cancels while a login is
being judged has not been turned away."""


class Ending(NamedTuple):
    """Why a link ends."""

    reason: DisconnectReason
    evidence: str
    by_peer: bool


class Link:
    """A PPP link in either role; `config` says who proves what to whom, and who gives addresses."""

    __slots__ = (
        "_authentication",
        "_commands",
        "_config",
        "_ending",
        "_heard",
        "_lcp",
        "_network",
        "_outbox",
        "_rejection",
        "finished",
        "phase",
    )

    def __init__(self, config: LinkConfig, entropy: Entropy) -> None:
        self._config = config
        self._outbox = Outbox(config.trace)
        accept = () if config.credentials is None else tuple(filter(can_prove, config.accept))
        rules = LcpRules(config.lcp, config.demand, accept, entropy)
        self._lcp = Lcp(config.restart, rules, self, self._outbox)
        self._authentication = LinkAuthentication(config, entropy, self._outbox)
        self._network = LinkNetwork(config, self, self._outbox)
        self._commands: list[LinkCommand] = []
        self._ending: Ending | None = None
        self._heard = False
        """Whether any frame arrived: without one, the fault lies below PPP."""
        self._rejection: tuple[DisconnectReason, str] | None = None
        """The peer's last failed attempt to authenticate, when LCP went down before it made another, or before anybody
        had judged it."""
        self.phase = Phase.DEAD
        self.finished = False

    # --- verbs ---------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """Want the link; negotiation begins with `lower_up`."""
        if not self.finished:
            self._lcp.open(now)

    def lower_up(self, now: float) -> None:
        """The call is there: frames can be sent and received."""
        if not self.finished and self._ending is None:
            self.phase = Phase.ESTABLISH
            self._lcp.lower_up(now)

    def lower_down(self, now: float, evidence: str = "the call ended below PPP") -> None:
        """The call is gone: nothing can be sent any more."""
        if self._ending is None:
            self._ending = Ending(DisconnectReason.NETWORK_ERROR, evidence, False)
        self._lcp.lower_down(now)
        self._finish(now)

    def close(self, reason: DisconnectReason, evidence: str, now: float) -> None:
        """End the link politely: Terminate-Request, at most Max-Terminate times. `evidence` is a sentence."""
        self.end(reason, evidence, now)

    def receive(self, frame: bytes, now: float) -> None:
        """Take one frame from the peer; never raises for what a peer sent."""
        if self.finished:
            return
        parts = split(frame)
        if parts is None:
            self._outbox.violation(0, f"a frame of {len(frame)} octets without a protocol number")
            return
        self._heard = True
        if parts.protocol == Protocol.LCP:
            self._lcp.receive(parts.information, now)
        elif self._lcp.opened and self._ending is None:
            self._receive_other(parts.protocol, parts.information, now)
        self._settle(now)

    def _receive_other(self, protocol: int, information: bytes, now: float) -> None:
        """In the Authenticate phase, all but LCP and authentication is discarded (RFC 1661 section 3.5)."""
        if protocol in AUTHENTICATION_PROTOCOLS and self._authentication.receive(protocol, information, now):
            return
        if self.phase is not Phase.NETWORK:
            return
        if self._network.knows(protocol):
            self._network.receive(protocol, information, now)
        else:
            self._lcp.reject_protocol(protocol, information)

    def credentials_verified(self, answer: Answer, now: float) -> None:
        """Answer `VerifyCredentials`; too late an answer is ignored."""
        if self._ending is None:
            self._authentication.credentials_verified(answer, now)
            self._settle(now)

    def challenge_again(self, now: float) -> bool:
        """Let a peer that is signed in prove itself once more, while traffic goes on; return whether it can be asked.

        Another `VerifyCredentials` follows. A rejection, or no answer, ends the link.
        """
        asked = self.phase is Phase.NETWORK and self._authentication.challenge_again(now)
        self._settle(now)
        return asked

    def withdraw_challenge(self) -> None:
        """Nobody can judge what the peer answered to `challenge_again`: the link goes on as it was."""
        self._authentication.withdraw()

    def address_assigned(self, answer: AddressAssignment | AddressRefusal, now: float) -> None:
        """Answer `AssignAddress`; ignored when none is awaited. ValueError for text that is no IPv4 address."""
        if self._ending is None:
            self._network.address_assigned(answer, now)
            self._settle(now)

    def mppe_desync(self, now: float) -> None:
        """The engine lost MPPE synchronisation: stateful mode asks for a reset, stateless mode for new keys."""
        if self._ending is None:
            self._network.mppe_desync(now)

    def time_remaining(self, seconds: int, now: float, text: str = "") -> None:  # noqa: ARG002 - the face of machines
        """Tell the peer how long the session may still last (RFC 1570 section 1.2)."""
        self._lcp.send_time_remaining(seconds, text)

    def send_echo(self, now: float, size: int = 0) -> None:  # noqa: ARG002 - the face of machines
        """Send an LCP Echo-Request with `size` octets of data, for instance to probe the path."""
        self._lcp.send_echo_request(bytes(size))

    @property
    def trace(self) -> bool:
        """Whether control packets are told as `PppPacketSeen`."""
        return self._outbox.trace

    @trace.setter
    def trace(self, wanted: bool) -> None:
        self._outbox.trace = wanted

    # --- time and drains -----------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next, or None."""
        if self.finished:
            return None
        return earliest((self._lcp.deadline, self._authentication.deadline, self._network.deadline))

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due."""
        if self.finished:
            return
        self._lcp.handle_timer(now)
        if self._ending is None:
            self._authentication.handle_timer(now)
            self._handle_network_timer(now)
        self._settle(now)

    def _handle_network_timer(self, now: float) -> None:
        """Act on timers of the Network phase; a peer that is silent in it may not have got our Success.

        CHAP repeats a Success only when it is asked again (RFC 1994 section 4.2), and many peers do not ask. A
        second one does no harm to a peer that had the first.
        """
        deadline = self._network.deadline
        if deadline is not None and deadline <= now:
            self._network.handle_timer(now)
            if self.phase is Phase.NETWORK and not self._network.heard:
                self._authentication.repeat()

    def outgoing(self) -> list[bytes]:
        """Drain the frames to send: protocol field of two octets first."""
        frames, self._outbox.frames = self._outbox.frames, []
        return frames

    def commands(self) -> list[LinkCommand]:
        """Drain the commands."""
        commands, self._commands = self._commands, []
        return commands

    def events(self) -> list[Event]:
        """Drain the facts."""
        events, self._outbox.events = self._outbox.events, []
        return events

    # --- what LCP tells (`LcpLayer`) -----------------------------------------------------------------------

    def layer_up(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """LCP opened: say what was agreed, then authenticate."""
        local, peer = self._lcp.options.local, self._lcp.options.peer
        method = local.authentication or peer.authentication
        self._outbox.events.append(
            LcpOpened(local.mru, peer.mru, "" if method is None else method.value, local.magic, peer.magic)
        )
        self._configure()
        if self._config.lcp.identification:
            self._lcp.send_identification(self._config.lcp.identification)
        self.phase = Phase.AUTHENTICATE
        if self._config.demand and local.authentication is None:
            self.end(DisconnectReason.AUTH_REFUSED, "LCP opened without the authentication we demand", now)
        else:
            mtu = min(self._config.lcp.mtu, peer.mru)
            self._authentication.start(local.authentication, peer.authentication, mtu, now)

    def _configure(self) -> None:
        local, peer, policy = self._lcp.options.local, self._lcp.options.peer, self._config.ccp.policy
        overhead = 0 if policy is MppePolicy.OFF else MPPE_OVERHEAD
        command = ConfigureLink(
            mtu=min(self._config.lcp.mtu, peer.mru - overhead),
            mru=local.mru,
            compress_protocol=peer.protocol_field_compression,
            omit_framing=peer.address_and_control_field_compression,
            local_magic=local.magic,
            peer_magic=peer.magic,
        )
        self._commands += [command, RequireMppe(policy is MppePolicy.REQUIRE)]

    def layer_down(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """LCP left Opened: everything above it is over."""
        self._network.stop(now)
        self._commands += self._authentication.drain()
        rejection = self._authentication.rejection
        self._rejection = None if rejection is None else (rejection.reason, rejection.detail)
        if self._authentication.judging and not self._network.was_open:
            self._rejection = (DisconnectReason.AUTH_UNAVAILABLE, "nobody had judged its credentials yet")
        self._authentication.stop()
        if self._ending is None:
            self.phase = Phase.ESTABLISH

    def layer_finished(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """LCP is over."""
        if self._ending is None:
            self._ending = self._unanswered()
        self._finish(now)

    def _unanswered(self) -> Ending:
        count = self._config.restart.max_configure
        if self._heard:
            detail = f"LCP did not open: {count} Configure-Requests without agreement"
            return Ending(DisconnectReason.NEGOTIATION_FAILED, detail, False)
        detail = f"{count} LCP Configure-Requests unanswered: no PPP frame of the peer ever arrived"
        return Ending(DisconnectReason.NETWORK_ERROR, detail, False)

    def layer_failed(self, protocol: Negotiation, failure: Failure, now: float) -> None:  # noqa: ARG002
        """LCP cannot open."""
        self.end(failure.reason, failure.detail, now)

    def layer_terminated(self, protocol: Negotiation, data: bytes, now: float) -> None:  # noqa: ARG002
        """The peer ends the link. Opened, it waits for the pause of RFC 1661; before that, it is over at once.

        The RFC would go on negotiating with a peer that terminated before LCP was Opened; no real peer comes back.
        """
        if self._ending is not None:
            return
        self._ending = self._said_by_peer(data)
        self.phase = Phase.TERMINATE
        if self._lcp.state is not State.STOPPING:
            self._lcp.lower_down(now)
            self._finish(now)

    def _said_by_peer(self, data: bytes) -> Ending:
        """Believe what the peer said; when it said nothing useful, judge by how far the link had come."""
        cause = terminate_cause(data, from_server=not self._config.demand)
        detail = f'the peer terminated the link: "{cause.text}"' if cause.text else "the peer terminated the link"
        if self._rejection is not None:
            reason, detail = self._rejection[0], f"{detail}, after: {self._rejection[1]}"
            if cause.reason in _EXPLAINED.get(reason, (None, DisconnectReason.USER_REQUEST)):
                return Ending(reason, detail, True)
        if cause.reason is DisconnectReason.AUTH_REFUSED and self._lcp.options.unmet:
            detail += f": {self._lcp.options.unmet}"
        default = DisconnectReason.USER_REQUEST if self._network.was_open else DisconnectReason.NEGOTIATION_FAILED
        return Ending(cause.reason or default, detail, True)

    def protocol_rejected(self, protocol: int, now: float) -> None:
        """The peer does not know a protocol that we use."""
        if protocol in AUTHENTICATION_PROTOCOLS and self.phase is Phase.AUTHENTICATE:
            self.end(DisconnectReason.AUTH_REFUSED, "the peer rejects the authentication protocol it agreed to", now)
        elif self.phase is Phase.NETWORK:
            self._network.protocol_rejected(protocol, now)

    def looped_back(self, detail: str, now: float) -> None:
        """Our own packets come back."""
        self.end(DisconnectReason.NETWORK_ERROR, f"the link is looped back: {detail}", now)

    # --- what the Network phase needs (`Owner`) ------------------------------------------------------------

    def command(self, command: LinkCommand) -> None:
        """Queue a command."""
        self._commands.append(command)

    def end(
        self, reason: DisconnectReason, evidence: str, now: float, *, by_peer: bool = False, text: str = ""
    ) -> None:
        """End the link; the first reason counts. `text` is for the Terminate-Request, else words for the reason."""
        if self._ending is not None:
            return
        self._ending = Ending(reason, evidence, by_peer)
        self.phase = Phase.TERMINATE
        self._commands += self._authentication.drain()
        self._lcp.close(now, text or terminate_words(reason))
        if self._lcp.state in (State.INITIAL, State.CLOSED):
            self._finish(now)

    # --- inside --------------------------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        """Pass on what the authentication machines said, and act when they are done."""
        self._commands += self._authentication.drain()
        failure = self._authentication.failure
        if self._ending is not None:
            return
        if failure is not None:
            text = "Failed to authenticate ourselves to peer" if self._authentication.we_failed else ""
            self.end(failure.reason, failure.detail, now, text=text)
        elif self.phase is Phase.AUTHENTICATE and self._authentication.complete:
            self.phase = Phase.NETWORK
            outcome = self._authentication.outcome
            self._network.start("" if outcome is None else outcome.user, self._authentication.keys, now)

    def _finish(self, now: float) -> None:
        """Say the end, once."""
        if self.finished:
            return
        self.finished = True
        self.phase = Phase.DEAD
        self._network.stop(now)
        self._authentication.stop()
        ending = self._ending or Ending(DisconnectReason.INTERNAL_ERROR, "the link ended without a reason", False)
        self._outbox.events.append(LinkTerminated(ending.reason, ending.evidence, ending.by_peer))
        self._commands.append(LinkFinished(ending.reason, ending.evidence))

    @property
    def ending(self) -> Ending | None:
        """Why the link ends, from the moment that is known; None while it lives."""
        return self._ending

    # --- what is known -------------------------------------------------------------------------------------

    @property
    def judging(self) -> bool:
        """Whether the peer has said who it is and waits for our verdict."""
        return self.phase is Phase.AUTHENTICATE and self._authentication.judging

    def status(self) -> dict[str, Any]:
        """Return what was negotiated, as plain data: MRUs, method, user, encryption, addresses."""
        local, peer = self._lcp.options.local, self._lcp.options.peer
        outcome = self._authentication.outcome
        return {
            "phase": self.phase.value,
            "local_mru": local.mru,
            "peer_mru": peer.mru,
            "method": None if outcome is None else Method(outcome.method).value,
            "user": "" if outcome is None else outcome.user,
            **self._network.status(),
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data; drain the link first. It holds keys: handle as a secret."""
        ending = self._ending
        return {
            "phase": self.phase.value,
            "finished": self.finished,
            "heard": self._heard,
            "ending": None if ending is None else [ending.reason.value, ending.evidence, ending.by_peer],
            "rejection": None if self._rejection is None else [self._rejection[0].value, self._rejection[1]],
            "lcp": self._lcp.snapshot(),
            "authentication": self._authentication.snapshot(),
            "network": self._network.snapshot(),
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any], config: LinkConfig, entropy: Entropy) -> "Link":
        """Return a link that goes on where `snapshot` was taken; `config` must be the same."""
        link = cls(config, entropy)
        link.phase, link.finished, link._heard = Phase(state["phase"]), state["finished"], state["heard"]
        if state["ending"] is not None:
            reason, evidence, by_peer = state["ending"]
            link._ending = Ending(DisconnectReason(reason), evidence, by_peer)
        if state["rejection"] is not None:
            link._rejection = (DisconnectReason(state["rejection"][0]), state["rejection"][1])
        link._lcp.restore(state["lcp"])
        link._authentication.restore(state["authentication"])
        link._network.restore(state["network"])
        return link
