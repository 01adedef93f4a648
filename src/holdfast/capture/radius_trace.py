"""RADIUS requests and their answers, paired (RFC 2865 section 3)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from holdfast._native import RadiusPacket
from holdfast.capture.moment import Moment
from holdfast.wire.errors import MalformedError
from holdfast.wire.text import printable
from holdfast.wire.tlv import read_options

HEADER = 20
ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCOUNTING_REQUEST = 1, 2, 3, 4
REQUESTS = frozenset({ACCESS_REQUEST, ACCOUNTING_REQUEST, 40, 43})
USER_NAME, CALLING_STATION_ID = 1, 31


@dataclass(slots=True)
class RadiusExchange:
    """One request, how often it was sent, and the answer."""

    code: int
    client: str
    server: str
    user: str
    calling_station: str
    sent: list[Moment] = field(default_factory=list)
    answer: Moment | None = None
    answer_code: int = 0

    @property
    def took(self) -> float | None:
        """Seconds from the first sending to the answer."""
        return self.answer.since(self.sent[0]) if self.answer else None


def exchanges_of(packets: Iterable[RadiusPacket]) -> list[RadiusExchange]:
    """Pair requests and answers; the same request sent again counts as the same exchange."""
    exchanges: list[RadiusExchange] = []
    current: dict[tuple[object, ...], tuple[bytes, RadiusExchange]] = {}
    for packet in packets:
        code, identifier, authenticator = packet.octets[0], packet.octets[1], packet.octets[4:HEADER]
        if code in REQUESTS:
            key = (packet.source, packet.destination, identifier)
            known = current.get(key)
            if known is None or known[0] != authenticator:
                known = (authenticator, _exchange(packet))
                current[key] = known
                exchanges.append(known[1])
            known[1].sent.append(Moment(*packet.place))
        else:
            answered = current.get((packet.destination, packet.source, identifier))
            if answered is not None and answered[1].answer is None:
                answered[1].answer, answered[1].answer_code = Moment(*packet.place), code
    return exchanges


def _exchange(packet: RadiusPacket) -> RadiusExchange:
    try:
        attributes = {option.type: option.data for option in reversed(read_options(packet.octets[HEADER:]))}
    except MalformedError:
        attributes = {}
    user, station = (printable(attributes.get(kind, b"")) for kind in (USER_NAME, CALLING_STATION_ID))
    return RadiusExchange(packet.octets[0], packet.source[0], packet.destination[0], user, station)
