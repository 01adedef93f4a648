"""What a control protocol stands on: judgements of options, the face of option rules, the layer above, the outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from holdfast.errors import DisconnectReason
from holdfast.events import Direction, Event, PppPacketSeen, PppViolation
from holdfast.ppp.codes import code_name
from holdfast.ppp.framing import join, protocol_name
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet, describe

MAX_VIOLATIONS = 50
"""Violations told per link; a peer that does worse is not worth more lines in a log."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a negotiation cannot succeed."""

    reason: DisconnectReason
    detail: str


@dataclass(slots=True)
class Judgement:
    """What the rules say about the options of a Configure-Request; nothing in it means: acceptable.

    `rejected`: options that are not negotiable, verbatim. `refused`: (option, acceptable instead). `wanted`:
    options that we would like the peer to ask for, with acceptable values. All in the order of the request.
    """

    rejected: list[Option] = field(default_factory=list)
    refused: list[tuple[Option, Option]] = field(default_factory=list)
    wanted: list[Option] = field(default_factory=list)

    def harden(self) -> None:
        """Turn what was refused into rejects and want nothing (RFC 1661 section 4.6, Max-Failure)."""
        self.rejected.extend(option for option, _ in self.refused)
        self.refused.clear()
        self.wanted.clear()

    @property
    def acceptable(self) -> bool:
        """Whether a Configure-Ack is due."""
        return not (self.rejected or self.refused or self.wanted)


class OptionRules(Protocol):
    """The options of one protocol: what we ask for, what we grant.

    `failure` is set by a method when it sees that the negotiation cannot succeed.
    """

    failure: Failure | None

    def reset(self) -> None:
        """Begin a negotiation anew."""

    def request(self) -> list[Option]:
        """Return the options of our next Configure-Request."""

    def judge(self, options: Sequence[Option]) -> Judgement:
        """Say what is to be said about the peer's Configure-Request."""

    def granted(self, options: Sequence[Option]) -> None:
        """Remember what we acknowledged to the peer."""

    def confirmed(self, options: Sequence[Option]) -> None:
        """The peer acknowledged our last request, which had these options."""

    def suggested(self, options: Sequence[Option]) -> None:
        """Digest a Configure-Nak to our last request."""

    def refused(self, options: Sequence[Option]) -> None:
        """Digest a Configure-Reject to our last request."""

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""


class Negotiation(Protocol):
    """What a layer needs to know of a control protocol."""

    protocol: ClassVar[int]


class Layer(Protocol):
    """Who listens to This-Layer-Up, -Down, -Finished (RFC 1661 section 4.4), and to failure."""

    def layer_up(self, protocol: Negotiation, now: float) -> None:
        """`protocol` reached Opened."""

    def layer_down(self, protocol: Negotiation, now: float) -> None:
        """`protocol` left Opened. The protocol must not be told anything from here: it is in the middle of a step."""

    def layer_finished(self, protocol: Negotiation, now: float) -> None:
        """`protocol` is over, in good order or because nobody answered."""

    def layer_failed(self, protocol: Negotiation, failure: Failure, now: float) -> None:
        """`protocol` will never open; whoever is told decides what to close."""

    def layer_terminated(self, protocol: Negotiation, data: bytes, now: float) -> None:
        """The peer sent a Terminate-Request with this data; it was answered."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The packet that an answer answers; for a Configure-Request also what was made of it."""

    packet: Packet
    options: Sequence[Option] = ()
    judgement: Judgement = field(default_factory=Judgement)


class Outbox:
    """What the protocols of one link want to say: frames and events, in order."""

    __slots__ = ("_violations", "events", "frames", "trace")

    def __init__(self, trace: bool = False) -> None:
        self.frames: list[bytes] = []
        self.events: list[Event] = []
        self.trace = trace
        self._violations = 0

    def send(self, protocol: int, packet: Packet) -> None:
        """Queue a packet for the peer."""
        self.frames.append(join(protocol, packet.encode()))
        self.seen(Direction.SENT, protocol, packet)

    def seen(self, direction: Direction, protocol: int, packet: Packet) -> None:
        """Tell of a packet, when anyone wants to know. The text costs more than the packet, so it is made last."""
        if self.trace:
            code, detail = code_name(protocol, packet.code), describe(protocol, packet)
            event = PppPacketSeen(direction, protocol_name(protocol), code, packet.identifier, detail)
            self.events.append(event)

    def violation(self, protocol: int, detail: str) -> None:
        """Tell that the peer did wrong, as long as there are not too many of these."""
        self._violations += 1
        if self._violations <= MAX_VIOLATIONS:
            self.events.append(PppViolation(protocol_name(protocol), detail))
