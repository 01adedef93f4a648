"""A control protocol: the automaton of RFC 1661 section 4 with packets (section 5), without any option of its own.

LCP, IPCP, IPV6CP and CCP are each a number and a set of option rules on top of this. A protocol writes its
packets into the `Outbox` that all protocols of a link share, and tells its `Layer` (the link) when it opens, closes,
finishes or fails.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from holdfast.errors import DisconnectReason
from holdfast.events import Direction, InternalFault
from holdfast.ppp import automaton
from holdfast.ppp.automaton import Action, Automaton, State
from holdfast.ppp.codes import FUNDAMENTAL_CODES, Code, code_name
from holdfast.ppp.config import RestartConfig
from holdfast.ppp.control_protocol_types import Cause, Failure, Judgement, Layer, OptionRules, Outbox
from holdfast.ppp.framing import protocol_name
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet, parse
from holdfast.wire.errors import MalformedError
from holdfast.wire.tlv import write_options

MAX_REJECTED_PACKET = 128
"""Octets of a packet that we quote when we reject it: enough to recognise it, below every MRU."""

_NEGOTIATING = frozenset({State.STOPPED, State.REQ_SENT, State.ACK_RCVD, State.ACK_SENT, State.OPENED})
"""The states in which the options of a Configure-Request matter; in the others the answer is a Terminate-Ack."""


class ControlProtocol:
    """One control protocol of one link. `rules` holds its options."""

    __slots__ = (
        "_automaton",
        "_config",
        "_identifier",
        "_layer",
        "_naks_sent",
        "_outbox",
        "_refusals",
        "_request",
        "_terminate_data",
        "rules",
    )
    protocol: ClassVar[int]
    extra_codes: ClassVar[frozenset[int]] = frozenset()
    """Codes that this protocol knows beyond the first seven."""

    def __init__(self, config: RestartConfig, rules: OptionRules, layer: Layer, outbox: Outbox) -> None:
        self._config = config
        self._automaton = Automaton(config)
        self._layer = layer
        self._outbox = outbox
        self.rules = rules
        self._identifier = 0
        self._request: Packet | None = None
        """Our Configure-Request while no valid reply to it has arrived."""
        self._naks_sent = 0
        self._refusals = 0
        """Naks and Rejects received since the last opening: a peer may not go on like this for ever."""
        self._terminate_data = b""

    # --- verbs of the layer above and below ----------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the automaton stands."""
        return self._automaton.state

    @property
    def opened(self) -> bool:
        """Whether the negotiation is complete."""
        return self._automaton.state is State.OPENED

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next."""
        return self._automaton.deadline

    def open(self, now: float) -> None:
        """Administrative Open."""
        self._step(automaton.Event.OPEN, now)

    def close(self, now: float, text: str = "") -> None:
        """Administrative Close; `text` goes into the Terminate-Request."""
        self._terminate_data = text.encode()[:MAX_REJECTED_PACKET]
        self._step(automaton.Event.CLOSE, now)

    def lower_up(self, now: float) -> None:
        """The layer below is ready to carry packets."""
        if self.state in (State.INITIAL, State.STARTING):
            self._restart()
            self._step(automaton.Event.UP, now)

    def lower_down(self, now: float) -> None:
        """The layer below no longer carries packets."""
        if self.state not in (State.INITIAL, State.STARTING):
            self._step(automaton.Event.DOWN, now)

    def rejected_by_peer(self, now: float) -> None:
        """The peer sent an LCP Protocol-Reject of this protocol: there is no use in going on."""
        if self.state not in (State.INITIAL, State.STARTING):
            self._step(automaton.Event.FATAL_REJECT, now)

    def handle_timer(self, now: float) -> None:
        """Act on the Restart timer when it is due."""
        event = self._automaton.timeout_event(now)
        if event is not None:
            self._step(event, now)

    # --- packets from the peer -----------------------------------------------------------------------------

    def receive(self, information: bytes, now: float) -> None:
        """Take the information field of a frame; never raises for what a peer sent."""
        try:
            packet = parse(information)
        except MalformedError as error:
            self._outbox.violation(self.protocol, str(error))
            return
        self._outbox.seen(Direction.RECEIVED, self.protocol, packet)
        if self.state in (State.INITIAL, State.STARTING):
            return
        if packet.code in self._RECEIVERS:
            self._RECEIVERS[packet.code](self, packet, now)
        elif packet.code in self.extra_codes:
            self._receive_extra(packet, now)
        else:
            self._step(automaton.Event.UNKNOWN_CODE, now, Cause(packet))

    def _receive_extra(self, packet: Packet, now: float) -> None:
        """Take a packet whose code is one of `extra_codes`."""
        raise NotImplementedError

    def _receive_request(self, packet: Packet, now: float) -> None:
        options = self._options(packet)
        if options is None:
            return
        if self.state not in _NEGOTIATING:
            self._step(automaton.Event.GOOD_REQUEST, now, Cause(packet))
            return
        judgement = self.rules.judge(options)
        if self.rules.failure is not None:
            self._layer.layer_failed(self, self.rules.failure, now)
            return
        if self._naks_sent >= self._config.max_failure:
            judgement.harden()
        event = automaton.Event.GOOD_REQUEST if judgement.acceptable else automaton.Event.BAD_REQUEST
        self._step(event, now, Cause(packet, options, judgement))

    def _receive_ack(self, packet: Packet, now: float) -> None:
        if self._request is None or packet.identifier != self._request.identifier:
            return
        if packet.data != self._request.data:
            self._outbox.violation(self.protocol, "a Configure-Ack with other options than our Configure-Request")
            return
        options, self._request = self._request.options(), None
        self.rules.confirmed(options)
        if self.rules.failure is not None:
            self._layer.layer_failed(self, self.rules.failure, now)
            return
        self._step(automaton.Event.CONFIGURE_ACK, now)

    def _receive_nak(self, packet: Packet, now: float) -> None:
        options = self._options(packet)
        if options is None or self._request is None or packet.identifier != self._request.identifier:
            return
        self.rules.suggested(options)
        self._receive_refusal(now)

    def _receive_reject(self, packet: Packet, now: float) -> None:
        options = self._options(packet)
        if options is None or self._request is None or packet.identifier != self._request.identifier:
            return
        asked = self._request.options()
        if not options or any(option not in asked for option in options):
            self._outbox.violation(self.protocol, "a Configure-Reject of options that we did not ask for")
            return
        self.rules.refused(options)
        self._receive_refusal(now)

    def _receive_refusal(self, now: float) -> None:
        self._request = None
        self._refusals += 1
        failure = self.rules.failure
        if failure is None and self._refusals > self._config.max_configure:
            detail = f"the peer refused our Configure-Request {self._refusals} times"
            failure = Failure(DisconnectReason.NEGOTIATION_FAILED, detail)
        if failure is not None:
            self._layer.layer_failed(self, failure, now)
        else:
            self._step(automaton.Event.CONFIGURE_NAK, now)

    def _receive_terminate_request(self, packet: Packet, now: float) -> None:
        self._step(automaton.Event.TERMINATE_REQUEST, now, Cause(packet))
        self._layer.layer_terminated(self, packet.data, now)

    def _receive_terminate_ack(self, _packet: Packet, now: float) -> None:
        self._step(automaton.Event.TERMINATE_ACK, now)

    def _receive_code_reject(self, packet: Packet, now: float) -> None:
        rejected = packet.data[0] if packet.data else 0
        if rejected not in FUNDAMENTAL_CODES:
            self._code_rejected(rejected)
            self._step(automaton.Event.HARMLESS_REJECT, now)
            return
        detail = f"the peer rejected the code {code_name(self.protocol, rejected)}"
        self._outbox.violation(self.protocol, detail)
        self._layer.layer_failed(self, Failure(DisconnectReason.PROTOCOL_FAILURE, detail), now)
        self._step(automaton.Event.FATAL_REJECT, now)

    def _code_rejected(self, code: int) -> None:
        """Never send `code` again (RFC 1661 section 4.3, RXJ+)."""

    def _options(self, packet: Packet) -> list[Option] | None:
        """Return the options; None, with a violation told, when their lengths cannot be."""
        try:
            return packet.options()
        except MalformedError as error:
            self._outbox.violation(self.protocol, f"{code_name(self.protocol, packet.code)}: {error}")
            return None

    # --- actions -------------------------------------------------------------------------------------------

    def _step(self, event: automaton.Event, now: float, cause: Cause | None = None) -> None:
        """Let the automaton take `event` and do what it says; `cause` is the packet that the answers answer."""
        for action in self._automaton.handle(event, now):
            self._act(action, event, now)
            if cause is not None:
                self._answer(action, cause)

    def _act(self, action: Action, event: automaton.Event, now: float) -> None:
        match action:
            case Action.THIS_LAYER_UP:
                self._naks_sent = self._refusals = 0
                self._layer.layer_up(self, now)
            case Action.THIS_LAYER_DOWN:
                self._layer.layer_down(self, now)
                self._restart()
            case Action.THIS_LAYER_FINISHED:
                self._layer.layer_finished(self, now)
            case Action.SEND_CONFIGURE_REQUEST:
                self._send_request(again=event is automaton.Event.TIMEOUT_AGAIN)
            case Action.SEND_TERMINATE_REQUEST:
                self._send_terminate_request(again=event is automaton.Event.TIMEOUT_AGAIN)
            case Action.ILLEGAL_EVENT:
                where = f"{protocol_name(self.protocol)} automaton"
                self._outbox.events.append(InternalFault(where, f"{event.value} in {self.state.name}"))

    def _answer(self, action: Action, cause: Cause) -> None:
        packet = cause.packet
        match action:
            case Action.SEND_CONFIGURE_ACK:
                self._naks_sent = 0
                self.rules.granted(cause.options)
                self._send(Code.CONFIGURE_ACK, packet.identifier, packet.data)
            case Action.SEND_CONFIGURE_NAK:
                self._refuse(packet, cause.judgement)
            case Action.SEND_TERMINATE_ACK:
                self._send(Code.TERMINATE_ACK, packet.identifier, b"")
            case Action.SEND_CODE_REJECT:
                self._send(Code.CODE_REJECT, self._next_identifier(), packet.encode()[:MAX_REJECTED_PACKET])
            case Action.SEND_ECHO_REPLY:
                self._send_echo_reply(packet)

    def _refuse(self, packet: Packet, judgement: Judgement) -> None:
        """Reject what is not negotiable; only when nothing is left of that, suggest other values."""
        if judgement.rejected:
            self._send(Code.CONFIGURE_REJECT, packet.identifier, write_options(judgement.rejected))
            return
        self._naks_sent += 1
        suggestions = [suggestion for _, suggestion in judgement.refused] + judgement.wanted
        self._send(Code.CONFIGURE_NAK, packet.identifier, write_options(suggestions))

    def _send_echo_reply(self, packet: Packet) -> None:
        """Only LCP has echoes."""

    def _send_request(self, *, again: bool) -> None:
        """Send a Configure-Request; the same as before, identifier included, when it is a retransmission."""
        if self._request is None or not again:
            data = write_options(self.rules.request())
            self._request = Packet(Code.CONFIGURE_REQUEST, self._next_identifier(), data)
        self._outbox.send(self.protocol, self._request)

    def _send_terminate_request(self, *, again: bool) -> None:
        identifier = self._identifier if again else self._next_identifier()
        self._request = None
        self._send(Code.TERMINATE_REQUEST, identifier, self._terminate_data)

    def _send(self, code: Code, identifier: int, data: bytes) -> None:
        self._outbox.send(self.protocol, Packet(code, identifier, data))

    def _next_identifier(self) -> int:
        """Return an identifier that was not used just before."""
        self._identifier = (self._identifier + 1) & 0xFF
        return self._identifier

    def _restart(self) -> None:
        """Forget everything that belongs to a negotiation that is over."""
        self._request = None
        self._naks_sent = self._refusals = 0
        self.rules.reset()

    # --- state as data -------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        request = self._request
        return {
            "automaton": self._automaton.snapshot(),
            "identifier": self._identifier,
            "request": None if request is None else request.encode(),
            "naks_sent": self._naks_sent,
            "refusals": self._refusals,
            "terminate_data": self._terminate_data,
            "rules": self.rules.snapshot(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self._automaton.restore(state["automaton"])
        self._identifier = state["identifier"]
        self._request = None if state["request"] is None else parse(state["request"])
        self._naks_sent = state["naks_sent"]
        self._refusals = state["refusals"]
        self._terminate_data = state["terminate_data"]
        self.rules.restore(state["rules"])

    _RECEIVERS: ClassVar[dict[int, Callable[[Any, Packet, float], None]]] = {
        Code.CONFIGURE_REQUEST: _receive_request,
        Code.CONFIGURE_ACK: _receive_ack,
        Code.CONFIGURE_NAK: _receive_nak,
        Code.CONFIGURE_REJECT: _receive_reject,
        Code.TERMINATE_REQUEST: _receive_terminate_request,
        Code.TERMINATE_ACK: _receive_terminate_ack,
        Code.CODE_REJECT: _receive_code_reject,
    }
