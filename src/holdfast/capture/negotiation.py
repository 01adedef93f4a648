"""What the Configure packets of one control protocol came to (RFC 1661 section 4, seen from outside)."""

from dataclasses import dataclass, field

from holdfast.capture.moment import Moment
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.codes import Code
from holdfast.wire.errors import MalformedError
from holdfast.wire.tlv import Option

_ANSWERS = (Code.CONFIGURE_ACK, Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT)


@dataclass(slots=True)
class Exchange:
    """One Configure-Request and the answer to it, if there was one."""

    request: PppItem
    answer: PppItem | None = None

    @property
    def options(self) -> list[Option]:
        """What was asked for; empty when it cannot be read."""
        return options_of(self.request)


@dataclass(slots=True)
class Asking:
    """What one side asked for and how the other answered."""

    exchanges: list[Exchange] = field(default_factory=list)
    acked: PppItem | None = None
    """The first Configure-Ack."""
    agreed: list[Option] = field(default_factory=list)
    """What was acknowledged last."""

    @property
    def requests(self) -> list[PppItem]:
        """All Configure-Requests."""
        return [exchange.request for exchange in self.exchanges]

    @property
    def unanswered(self) -> list[PppItem]:
        """The Configure-Requests that nobody answered."""
        return [exchange.request for exchange in self.exchanges if exchange.answer is None]

    def answers(self, code: Code) -> list[PppItem]:
        """Return the answers with that code."""
        found = (exchange.answer for exchange in self.exchanges)
        return [answer for answer in found if answer is not None and answer.packet.code == code]

    def refused(self, kind: int) -> list[PppItem]:
        """Return the Configure-Rejects that name an option."""
        return [item for item in self.answers(Code.CONFIGURE_REJECT) if find_option(options_of(item), kind)]

    def countered(self, kind: int) -> list[PppItem]:
        """Return the Configure-Naks that name an option."""
        return [item for item in self.answers(Code.CONFIGURE_NAK) if find_option(options_of(item), kind)]

    def asked(self, kind: int) -> list[bytes]:
        """Return every value that was asked for an option, in order."""
        return [option.data for exchange in self.exchanges for option in exchange.options if option.type == kind]

    def value(self, kind: int) -> bytes | None:
        """Return the agreed value of an option; None when it is not part of what was agreed."""
        return find_option(self.agreed, kind)


@dataclass(slots=True)
class Negotiation:
    """Both sides of one control protocol."""

    protocol: int
    client: Asking = field(default_factory=Asking)
    server: Asking = field(default_factory=Asking)
    terminations: list[PppItem] = field(default_factory=list)
    """Terminate-Requests."""
    rejections: list[PppItem] = field(default_factory=list)
    """LCP Protocol-Rejects that name this protocol."""
    others: list[PppItem] = field(default_factory=list)
    """Everything that is no Configure packet."""

    def side(self, client: bool) -> Asking:
        """Return what the client (or the server) asked for."""
        return self.client if client else self.server

    @property
    def opened(self) -> Moment | None:
        """When both sides had an Ack first; None when that never came."""
        if self.client.acked is None or self.server.acked is None:
            return None
        return max(self.client.acked.moment, self.server.acked.moment)

    @property
    def seen(self) -> bool:
        """Whether any packet of this protocol went by."""
        return bool(self.client.exchanges or self.server.exchanges or self.others)

    @property
    def first(self) -> PppItem | None:
        """The first Configure-Request of either side."""
        return min(self.client.requests[:1] + self.server.requests[:1], key=lambda item: item.moment, default=None)

    def take(self, item: PppItem) -> None:
        """Take the next packet of this protocol."""
        code = item.packet.code
        if code == Code.CONFIGURE_REQUEST:
            self.side(item.from_client).exchanges.append(Exchange(item))
        elif code in _ANSWERS:
            self._answer(self.side(not item.from_client), item)
        else:
            self.others.append(item)
            if code == Code.TERMINATE_REQUEST:
                self.terminations.append(item)

    def _answer(self, asking: Asking, answer: PppItem) -> None:
        for exchange in reversed(asking.exchanges):
            if exchange.request.packet.identifier == answer.packet.identifier:
                exchange.answer = exchange.answer or answer
                break
        if answer.packet.code == Code.CONFIGURE_ACK:
            asking.acked = asking.acked or answer
            asking.agreed = options_of(answer)


def options_of(item: PppItem) -> list[Option]:
    """Return the options of a Configure packet; empty when they cannot be read."""
    try:
        return item.packet.options()
    except MalformedError:
        return []


def find_option(options: list[Option], kind: int) -> bytes | None:
    """Return the value of the first option of that type."""
    return next((option.data for option in options if option.type == kind), None)
