"""The ladder of a session: who sent what to whom, in order, for a diagram."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.moment import Moment
from holdfast.capture.session import Session
from holdfast.control.messages import EchoReply, EchoRequest
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol

ROWS_MOST = 120
"""Arrows of one ladder; what carries the fault stays beyond it."""
PAUSE = 1.0
"""Seconds without anything that deserve a mark of their own."""
NEAR = 2
"""Arrows shown around a fault in a part that is otherwise left out."""
LAYERS = {
    "tcp": "TCP",
    "control": "control",
    "lcp": "LCP",
    "auth": "authentication",
    "ccp": "encryption",
    "ipcp": "address",
    "data": "user data",
    "echo": "echo",
}
"""Every layer with its name for people, in the order in which a session needs them."""

_LAYERS = {
    Protocol.LCP: "lcp",
    Protocol.PAP: "auth",
    Protocol.CHAP: "auth",
    Protocol.EAP: "auth",
    Protocol.CCP: "ccp",
    Protocol.IPCP: "ipcp",
    Protocol.IPV6CP: "ipcp",
}
VANISHED = "vanished"
"""What stands at a frame that the capture of the other end lacks."""
_ECHOES = frozenset({Code.ECHO_REQUEST, Code.ECHO_REPLY, Code.DISCARD_REQUEST})
_RUNS = frozenset({"data", "echo"})
"""Layers of which a run in both directions is one arrow."""


@dataclass(slots=True)
class Row:
    """One arrow. A run of the same is one arrow: `counts` are its packets to the server and to the client."""

    moment: Moment
    from_client: bool
    layer: str
    label: str
    detail: str
    last: Moment
    """The last packet of the run."""
    counts: list[int] = field(default_factory=lambda: [0, 0])
    faults: list[str] = field(default_factory=list)
    """The ids of the findings that this is evidence of."""

    @property
    def count(self) -> int:
        """Packets of both directions."""
        return sum(self.counts)

    @property
    def both(self) -> bool:
        """Whether the run goes to and fro."""
        return all(self.counts)

    @property
    def vanished(self) -> bool:
        """Whether it never came to the other end."""
        return VANISHED in self.faults

    @property
    def caption(self) -> str:
        """What stands at the arrow."""
        if self.both:
            return f"{self.label} {self.counts[0]} \u2192 {self.counts[1]} \u2190"
        return f"{self.label} \u00d7{self.count}" if self.count > 1 else self.label


@dataclass(frozen=True, slots=True)
class Pause:
    """Time in which nothing was seen, or arrows that are not drawn."""

    text: str


def rows(session: Session, findings: Iterable[Finding], vanished: Iterable[Moment] = ()) -> list[Row]:
    """Return all arrows of a session; `vanished` are frames that another capture shows to be lost on the way."""
    marks: dict[tuple[int, int], list[str]] = {(moment.file, moment.frame): [VANISHED] for moment in vanished}
    for finding in findings:
        for moment in finding.evidence if finding.severity is not Severity.NOTE else ():
            marks.setdefault((moment.file, moment.frame), []).append(finding.id)
    found = sorted([*_tcp(session), *_control(session), *_ppp(session), *_data(session)], key=lambda row: row.moment)
    for row in found:
        row.faults = marks.get((row.moment.file, row.moment.frame), [])
    return _merge(found)


def steps(found: list[Row]) -> list[Row | Pause]:
    """Return the arrows with their pauses; past `ROWS_MOST` the middle is left out, and that is said."""
    shown = _shown(found)
    drawn: list[Row | Pause] = []
    for before, place in itertools.pairwise([-1, *shown]):
        left_out = place - before - 1
        if left_out:
            drawn.append(Pause(f"{left_out} arrows are not drawn"))
        elif before >= 0 and (seconds := found[place].moment.since(found[before].last)) >= PAUSE:
            drawn.append(Pause(f"{seconds:.1f} s nothing"))
        drawn.append(found[place])
    return drawn


def _shown(found: list[Row]) -> list[int]:
    if len(found) <= ROWS_MOST:
        return list(range(len(found)))
    half = ROWS_MOST // 2
    kept = {*range(half), *range(len(found) - half, len(found))}
    for place, row in enumerate(found):
        if row.faults:
            kept.update(range(max(place - NEAR, 0), min(place + NEAR + 1, len(found))))
    return sorted(kept)


def _row(moment: Moment, from_client: bool, layer: str, label: str, detail: str) -> Row:
    return Row(moment, from_client, layer, label, detail, moment, [int(from_client), int(not from_client)])


def _tcp(session: Session) -> Iterator[Row]:
    conversation = session.conversation
    if conversation is None:
        return
    port = conversation.server[1]
    yield from (_row(moment, True, "tcp", "SYN", f"TCP connect to port {port}") for moment in conversation.syns)
    if conversation.syn_ack:
        yield _row(conversation.syn_ack, False, "tcp", "SYN ACK", "the port is open")
    yield from (_row(moment, client, "tcp", "FIN", "TCP closes") for moment, client in conversation.fins)
    yield from (_row(moment, client, "tcp", "RST", "TCP is reset") for moment, client in conversation.resets)
    for client, moments in conversation.retransmissions.items():
        yield from (_row(moment, client, "tcp", "repeated", "TCP repeats a segment") for moment in moments)


def _control(session: Session) -> Iterator[Row]:
    for item in session.conversation.items if session.conversation else ():
        layer = "echo" if isinstance(item.message, EchoRequest | EchoReply) else "control"
        yield _row(item.moment, item.from_client, layer, item.message.name, item.message.fields_text())


def _ppp(session: Session) -> Iterator[Row]:
    for item in session.link.items:
        echo = item.protocol == Protocol.LCP and item.packet.code in _ECHOES
        layer = "echo" if echo else _LAYERS.get(Protocol(item.protocol), "lcp") if _known(item.protocol) else "lcp"
        yield _row(item.moment, item.from_client, layer, item.name, item.text)


def _known(protocol: int) -> bool:
    return protocol in frozenset(Protocol)


def _data(session: Session) -> Iterator[Row]:
    for up in (True, False):
        for frame in (frame for flow in session.flows(up) for frame in flow.data):
            detail = f"{frame.length} octets of PPP, sequence {frame.sequence}"
            yield _row(Moment(*frame.place), up, "data", "data", detail)


def _merge(found: list[Row]) -> list[Row]:
    """Make one arrow of neighbours that say the same, and of runs of data and echoes."""
    merged: list[Row] = []
    for row in found:
        last = merged[-1] if merged else None
        if last and _same(last, row):
            _join(last, row)
        else:
            merged.append(row)
    return merged


def _same(last: Row, row: Row) -> bool:
    if last.layer == row.layer and row.layer in _RUNS:
        return last.faults == row.faults
    return (last.label, last.from_client, last.detail) == (row.label, row.from_client, row.detail)


def _join(last: Row, row: Row) -> None:
    if row.layer == "echo" and row.label != last.label:
        last.label = "echoes"
    last.counts = [mine + other for mine, other in zip(last.counts, row.counts, strict=True)]
    last.faults = list(dict.fromkeys(last.faults + row.faults))
    last.last = row.last
    if row.detail != last.detail:
        last.detail = f"{last.count} frames in {last.last.since(last.moment):.1f} s"
