"""The Link Control Protocol: RFC 1661 sections 5 and 6, RFC 1662 section 7.1, RFC 1570 section 1."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from holdfast.errors import DisconnectReason
from holdfast.events import PeerIdentified
from holdfast.ppp import automaton
from holdfast.ppp.codes import Code
from holdfast.ppp.config import RestartConfig
from holdfast.ppp.control_protocol import ControlProtocol
from holdfast.ppp.control_protocol_types import Cause, Failure, Layer, Outbox
from holdfast.ppp.framing import Protocol as Number
from holdfast.ppp.lcp_rules import LcpRules
from holdfast.ppp.packet import Packet
from holdfast.wire.text import printable

MAX_IDENTIFICATION = 64
"""Octets of an Identification that are worth remembering."""


class LcpLayer(Layer, Protocol):
    """What LCP tells beyond what every protocol tells."""

    def protocol_rejected(self, protocol: int, now: float) -> None:
        """The peer does not know `protocol`; it must not be sent again."""

    def looped_back(self, detail: str, now: float) -> None:
        """Our own packets come back to us."""


class Lcp(ControlProtocol):
    """LCP of one link: the base with echoes, rejects of protocols, and the packets of RFC 1570."""

    __slots__ = ("_lcp_layer", "_muted", "options")
    protocol: ClassVar[int] = Number.LCP
    extra_codes: ClassVar[frozenset[int]] = frozenset(range(Code.PROTOCOL_REJECT, Code.TIME_REMAINING + 1))

    def __init__(self, config: RestartConfig, rules: LcpRules, layer: LcpLayer, outbox: Outbox) -> None:
        super().__init__(config, rules, layer, outbox)
        self.options = rules
        self._lcp_layer = layer
        self._muted: set[int] = set()
        """Codes that the peer rejected."""

    # --- what we may say -----------------------------------------------------------------------------------

    def reject_protocol(self, protocol: int, information: bytes) -> None:
        """Send a Protocol-Reject with a copy of the packet, in the Opened state only (RFC 1661 section 5.7)."""
        if self.opened:
            copy = information[: self.options.peer.mru - 6]
            self._send(Code.PROTOCOL_REJECT, self._next_identifier(), protocol.to_bytes(2) + copy)

    def send_echo_request(self, data: bytes = b"") -> None:
        """Send an Echo-Request (RFC 1661 section 5.8), in the Opened state only."""
        self._say(Code.ECHO_REQUEST, data)

    def send_discard_request(self, data: bytes = b"") -> None:
        """Send a Discard-Request (RFC 1661 section 5.9), in the Opened state only."""
        self._say(Code.DISCARD_REQUEST, data)

    def send_identification(self, text: str) -> None:
        """Say who we are (RFC 1570 section 1.1)."""
        self._say(Code.IDENTIFICATION, text.encode())

    def send_time_remaining(self, seconds: int, text: str = "") -> None:
        """Say how long the session may last (RFC 1570 section 1.2); 0xffffffff means for ever."""
        self._say(Code.TIME_REMAINING, min(max(seconds, 0), 0xFFFFFFFF).to_bytes(4) + text.encode())

    def _say(self, code: Code, data: bytes) -> None:
        if self.opened and code not in self._muted:
            self._send(code, self._next_identifier(), self._magic() + data)

    def _magic(self) -> bytes:
        return self.options.local.magic.to_bytes(4)

    # --- what the peer says --------------------------------------------------------------------------------

    def _receive_extra(self, packet: Packet, now: float) -> None:
        if packet.code == Code.PROTOCOL_REJECT:
            self._receive_protocol_reject(packet, now)
        elif len(packet.data) < 4:
            self._outbox.violation(self.protocol, f"code {packet.code} without a Magic-Number")
        elif packet.code == Code.IDENTIFICATION:
            text = printable(packet.data[4 : 4 + MAX_IDENTIFICATION])
            self._outbox.events.append(PeerIdentified(text))
        elif self._came_back(packet):
            self._lcp_layer.looped_back("an echo carried our own Magic-Number", now)
        elif packet.code == Code.ECHO_REQUEST:
            self._step(automaton.Event.ECHO, now, Cause(packet))

    def _send_echo_reply(self, packet: Packet) -> None:
        self._send(Code.ECHO_REPLY, packet.identifier, self._magic() + packet.data[4:])

    def _came_back(self, packet: Packet) -> bool:
        """Whether an echo that we sent, or its like, reached ourselves (RFC 1661 section 6.4)."""
        ours = self.options.local.magic
        return self.opened and ours != 0 and packet.data[:4] == self._magic() and packet.code == Code.ECHO_REQUEST

    def _receive_protocol_reject(self, packet: Packet, now: float) -> None:
        """Act in the Opened state only (RFC 1661 section 5.7)."""
        if not self.opened or len(packet.data) < 2:
            return
        protocol = int.from_bytes(packet.data[:2])
        if protocol == Number.LCP:
            failure = Failure(DisconnectReason.PROTOCOL_FAILURE, "the peer rejects LCP itself")
            self._layer.layer_failed(self, failure, now)
            self.rejected_by_peer(now)
        else:
            self._lcp_layer.protocol_rejected(protocol, now)

    def _code_rejected(self, code: int) -> None:
        self._muted.add(code)

    # --- state as data -------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {**super().snapshot(), "muted": sorted(self._muted)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        super().restore(state)
        self._muted = set(state["muted"])
