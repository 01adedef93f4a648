"""The Compression Control Protocol with its one useful option, MPPE (RFC 1962, RFC 3078 section 2).

Compression itself is never granted: MPPC, Stac and the others are refused. Each direction is asked for by the side
that will receive (RFC 1962 section 4) and could be different; peers expect both to be alike, so what the peer
granted us is what we then suggest for the other direction.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from holdfast.errors import DisconnectReason
from holdfast.machine import earliest
from holdfast.ppp.codes import Code
from holdfast.ppp.config import CcpConfig, MppeMode, RestartConfig
from holdfast.ppp.control_protocol import ControlProtocol
from holdfast.ppp.control_protocol_types import Failure, Judgement, Layer, Outbox
from holdfast.ppp.framing import Protocol as Number
from holdfast.ppp.options import CcpOption, Option, describe_option, describe_options
from holdfast.ppp.packet import Packet

STATELESS_BIT = 1 << 24
STRENGTH_BITS: dict[int, int] = {128: 0x40, 56: 0x80, 40: 0x20}
"""Bits of the Supported Bits field (RFC 3078 section 2), strongest first."""

_STRENGTH_MASK = 0xE0

MAX_RESET_REQUESTS = 5
"""Transmissions of one Reset-Request without a Reset-Ack."""


class MppeTerms(NamedTuple):
    """What was agreed for one direction: strength in bits, and mode."""

    bits: int
    mode: MppeMode


class CcpLayer(Layer, Protocol):
    """What CCP tells beyond what every protocol tells."""

    def reset_requested(self, now: float) -> None:
        """The peer lost step; our send tables must start anew."""


class Ccp(ControlProtocol):
    """CCP of one link."""

    __slots__ = (
        "_ccp_layer",
        "_reset_at",
        "_reset_due",
        "_reset_identifier",
        "_reset_interval",
        "_reset_left",
        "options",
    )
    protocol: ClassVar[int] = Number.CCP
    extra_codes: ClassVar[frozenset[int]] = frozenset({Code.RESET_REQUEST, Code.RESET_ACK})

    def __init__(
        self, config: RestartConfig, rules: "MppeRules", layer: CcpLayer, outbox: Outbox, reset_interval: float
    ) -> None:
        super().__init__(config, rules, layer, outbox)
        self.options = rules
        self._ccp_layer = layer
        self._reset_interval = reset_interval
        self._reset_identifier = 0
        self._reset_left = 0
        self._reset_at: float | None = None
        self._reset_due: float | None = None

    # --- resets --------------------------------------------------------------------------------------------

    def send_reset_request(self, now: float) -> bool:
        """Ask the peer to start its tables anew; False when that is under way already, or cannot be asked.

        Two requests keep the interval between them. A request is sent again with the same identifier until its
        Reset-Ack arrives (RFC 1962 section 3.1), but only some times and with growing pauses: MPPE needs no
        Reset-Ack and some peers send none (RFC 3078 section 8.2), while each reset uses a key stream once more.
        """
        if not self.opened or self._reset_due is not None:
            return False
        self._reset_identifier = self._next_identifier()
        self._reset_left = MAX_RESET_REQUESTS
        self._reset_due = now if self._reset_at is None else max(now, self._reset_at + self._reset_interval)
        self._handle_reset_timer(now)
        return True

    def _handle_reset_timer(self, now: float) -> None:
        if self._reset_due is None or now < self._reset_due:
            return
        if self._reset_left == 0:
            self._reset_due = None
            return
        pause = self._reset_interval * 2 ** (MAX_RESET_REQUESTS - self._reset_left)
        self._reset_left -= 1
        self._reset_at, self._reset_due = now, now + pause
        self._send(Code.RESET_REQUEST, self._reset_identifier, b"")

    def _receive_extra(self, packet: Packet, now: float) -> None:
        """Answer a Reset-Request in the Opened state; take the Reset-Ack of ours.

        RFC 3078 needs no Reset-Ack, but RFC 1962 section 3.1 demands one, and pppd repeats its request without.
        """
        if not self.opened:
            return
        if packet.code == Code.RESET_REQUEST:
            self._ccp_layer.reset_requested(now)
            self._send(Code.RESET_ACK, packet.identifier, b"")
        elif packet.identifier == self._reset_identifier:
            self._reset_due = None

    def renegotiate(self, now: float) -> None:
        """Begin all over, with new keys: the restart option of RFC 1661 section 4.3, Down and then Up."""
        self.lower_down(now)
        self.lower_up(now)

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next."""
        return earliest((super().deadline, self._reset_due))

    def handle_timer(self, now: float) -> None:
        """Act on the Restart timer, and on the one of Reset-Requests."""
        super().handle_timer(now)
        self._handle_reset_timer(now)

    def _restart(self) -> None:
        super()._restart()
        self._reset_due = None

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        reset = [self._reset_identifier, self._reset_left, self._reset_at, self._reset_due]
        return {**super().snapshot(), "reset": reset}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        super().restore(state)
        self._reset_identifier, self._reset_left, self._reset_at, self._reset_due = state["reset"]


class MppeRules:
    """MPPE in both directions. `strengths`: those that are both allowed and keyed, in bits.

    `local` and `peer` are the Supported Bits that were acknowledged in each direction, 0 while there are none.
    """

    __slots__ = ("_ask", "_config", "failure", "local", "peer", "strengths")

    def __init__(self, config: CcpConfig) -> None:
        self._config = config
        self.strengths: tuple[int, ...] = config.bits
        self.reset()

    def reset(self) -> None:
        """Begin a negotiation anew: ask for every strength, in the preferred mode."""
        self.failure: Failure | None = None
        self.local = 0
        self.peer = 0
        self._ask = self._mode_bit(self._config.modes[0]) | self._allowed

    @property
    def _allowed(self) -> int:
        return sum(STRENGTH_BITS[bits] for bits in self.strengths)

    @property
    def agreed(self) -> tuple[MppeTerms, MppeTerms] | None:
        """The terms for what we receive and for what we send, None while one of them is missing."""
        receive, send = self._terms(self.local), self._terms(self.peer)
        return None if receive is None or send is None else (receive, send)

    def _terms(self, value: int) -> MppeTerms | None:
        bits = next((bits for bits, mask in STRENGTH_BITS.items() if value & _STRENGTH_MASK == mask), None)
        return None if bits is None else MppeTerms(bits, self._mode(value))

    def _mode_bit(self, mode: MppeMode) -> int:
        return STATELESS_BIT if mode is MppeMode.STATELESS else 0

    def _mode(self, value: int) -> MppeMode:
        return MppeMode.STATELESS if value & STATELESS_BIT else MppeMode.STATEFUL

    def _choose(self, offered: int) -> int:
        """Return the one value that we would take of an offer, 0 when nothing of it is allowed.

        The strongest common strength (RFC 3078 section 2.1); the offered mode if it is allowed, else ours.
        """
        common = offered & self._allowed
        strength = next((mask for mask in STRENGTH_BITS.values() if common & mask), 0)
        if not strength:
            return 0
        mode = self._mode(offered)
        return strength | self._mode_bit(mode if mode in self._config.modes else self._config.modes[0])

    @property
    def _preferred(self) -> int:
        """The single value to suggest when an offer has nothing for us."""
        return self.local or self._choose(self._ask)

    # --- our options ---------------------------------------------------------------------------------------

    def request(self) -> list[Option]:
        """Ask for MPPE."""
        return [Option(CcpOption.MPPE, self._ask.to_bytes(4))]

    def confirmed(self, options: Sequence[Option]) -> None:
        """What we asked for holds, if it was one strength: a responder has to choose one (RFC 3078 section 2.1)."""
        self.local = int.from_bytes(options[0].data)
        if self.local & _STRENGTH_MASK not in STRENGTH_BITS.values():
            self._fail("the peer acknowledged more than one MPPE strength")

    def suggested(self, options: Sequence[Option]) -> None:
        """Take the strongest allowed of what the peer suggests."""
        for option in options:
            if option.type == CcpOption.MPPE and len(option.data) == 4:
                choice = self._choose(int.from_bytes(option.data))
                if choice:
                    self._ask = choice
                else:
                    self._fail(f"the peer suggests {describe_option(Number.CCP, option)}, which is not allowed")

    def refused(self, options: Sequence[Option]) -> None:
        """Without MPPE there is nothing to negotiate."""
        self._fail(f"the peer rejects {describe_options(Number.CCP, options)}")

    def _fail(self, detail: str) -> None:
        self.failure = Failure(DisconnectReason.ENCRYPTION_MISMATCH, detail)

    # --- the peer's options --------------------------------------------------------------------------------

    def judge(self, options: Sequence[Option]) -> Judgement:
        """Grant exactly one strength and a mode that are allowed; reject all compression."""
        judgement = Judgement()
        seen = False
        for option in options:
            if option.type != CcpOption.MPPE or seen:
                judgement.rejected.append(option)
                continue
            seen = True
            choice = Option(CcpOption.MPPE, self._answer(option.data).to_bytes(4))
            if choice != option:
                judgement.refused.append((option, choice))
        if not seen:
            judgement.wanted.append(Option(CcpOption.MPPE, self._preferred.to_bytes(4)))
        return judgement

    def _answer(self, data: bytes) -> int:
        """Return what we would acknowledge for an offer; what the peer granted us binds us."""
        offered = int.from_bytes(data) if len(data) == 4 else 0
        return self.local or self._choose(offered) or self._preferred

    def granted(self, options: Sequence[Option]) -> None:
        """Remember what the peer may send us, and ask for the same from now on."""
        values = [int.from_bytes(option.data) for option in options if option.type == CcpOption.MPPE]
        self.peer = values[0] if values else 0
        if self.peer and not self.local:
            self._ask = self.peer

    # --- state as data -------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {"strengths": list(self.strengths), "local": self.local, "peer": self.peer, "ask": self._ask}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self.strengths = tuple(state["strengths"])
        self.local, self.peer, self._ask = state["local"], state["peer"], state["ask"]
