"""The ladder of a session: who sent what to whom, in order, for a diagram."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.capture.findings.base import Finding
from holdfast.capture.moment import Moment
from holdfast.capture.session import Session
from holdfast.control.messages import EchoReply, EchoRequest
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol

ROWS_MOST = 160

_LAYERS = {
    Protocol.LCP: "lcp",
    Protocol.PAP: "auth",
    Protocol.CHAP: "auth",
    Protocol.EAP: "auth",
    Protocol.CCP: "ccp",
    Protocol.IPCP: "ipcp",
    Protocol.IPV6CP: "ipcp",
}
_ECHOES = frozenset({Code.ECHO_REQUEST, Code.ECHO_REPLY, Code.DISCARD_REQUEST})


@dataclass(slots=True)
class Row:
    """One arrow. `count` packets of the same kind in a row are one arrow."""

    moment: Moment
    from_client: bool
    layer: str
    label: str
    detail: str
    count: int = 1
    fault: bool = False


def rows(session: Session, findings: Iterable[Finding]) -> list[Row]:
    """Return the arrows of a session; past `ROWS_MOST` the middle is left out."""
    found = sorted([*_tcp(session), *_control(session), *_ppp(session), *_data(session)], key=lambda row: row.moment)
    marked = {
        (moment.file, moment.frame) for finding in findings if finding.severity.rank < 2 for moment in finding.evidence
    }
    for row in found:
        row.fault = (row.moment.file, row.moment.frame) in marked
    merged = _merge(found)
    if len(merged) <= ROWS_MOST:
        return merged
    half = ROWS_MOST // 2
    return [*merged[:half], *merged[-half:]]


def _tcp(session: Session) -> list[Row]:
    conversation = session.conversation
    if conversation is None:
        return []
    found = [Row(moment, True, "tcp", "SYN", "TCP connect to port 1723") for moment in conversation.syns]
    if conversation.syn_ack:
        found.append(Row(conversation.syn_ack, False, "tcp", "SYN ACK", "the port is open"))
    found += [Row(moment, client, "tcp", "FIN", "TCP closes") for moment, client in conversation.fins]
    found += [Row(moment, client, "tcp", "RST", "TCP is reset") for moment, client in conversation.resets]
    for client, moments in conversation.retransmissions.items():
        found += [Row(moment, client, "tcp", "repeated", "TCP repeats a segment") for moment in moments]
    return found


def _control(session: Session) -> list[Row]:
    items = session.conversation.items if session.conversation else []
    return [
        Row(
            item.moment,
            item.from_client,
            "echo" if isinstance(item.message, EchoRequest | EchoReply) else "control",
            item.message.name,
            item.message.fields_text(),
        )
        for item in items
    ]


def _ppp(session: Session) -> list[Row]:
    found = []
    for item in session.link.items:
        echo = item.protocol == Protocol.LCP and item.packet.code in _ECHOES
        layer = "echo" if echo else _LAYERS.get(Protocol(item.protocol), "lcp") if _known(item.protocol) else "lcp"
        found.append(Row(item.moment, item.from_client, layer, item.name, item.text))
    return found


def _known(protocol: int) -> bool:
    return protocol in frozenset(Protocol)


def _data(session: Session) -> list[Row]:
    found = []
    for up in (True, False):
        frames = [frame for flow in session.flows(up) for frame in flow.data]
        found += [
            Row(Moment(*frame.place), up, "data", "data", f"{frame.length} octets of PPP, sequence {frame.sequence}")
            for frame in frames
        ]
    return found


def _merge(found: list[Row]) -> list[Row]:
    """Make one arrow of neighbours that say the same, and of runs of data and echoes."""
    merged: list[Row] = []
    for row in found:
        last = merged[-1] if merged else None
        if last and _same(last, row):
            last.count += 1
            last.fault = last.fault or row.fault
        else:
            merged.append(row)
    return merged


def _same(last: Row, row: Row) -> bool:
    if last.layer == row.layer and row.layer in ("data", "echo") and last.from_client == row.from_client:
        return True
    return (last.label, last.from_client, last.detail) == (row.label, row.from_client, row.detail)
