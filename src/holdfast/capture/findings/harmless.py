"""Things that look odd and are not."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol

ENTRY = Entry(
    id="harmless",
    title="Odd, but harmless",
    meaning="Some packets look like errors and are part of a normal session. They are named here so that nobody looks "
    "for a fault there.",
    recognised="An early IPCP Terminate-Ack, a first LCP request that was lost on a slow start, Code-Reject of "
    "Identification, Protocol-Reject of IPv6, refused callback, multilink and endpoint options, maps in Set-Link-Info, "
    "Call-Disconnect-Notify with result 0.",
    severity=Severity.NOTE,
    references=("RFC 1661 section 4.3", "RFC 1570 section 2.1"),
)


def recognise(view: View) -> Iterator[Finding]:
    """Say which of them are there, on a session that came up."""
    if not view.up:
        return
    oddities = [*_early_terminate_acks(view), *_slow_start(view), *_rejects(view)]
    if oddities:
        why = "; ".join(dict.fromkeys(words for words, _ in oddities)) + "."
        yield ENTRY.found(why[0].upper() + why[1:], [moment for _, moment in oddities], certainty=0.95)


def _early_terminate_acks(view: View) -> Iterator[tuple[str, Moment]]:
    ipcp = view.link.ipcp
    for item in ipcp.others:
        if item.packet.code == Code.TERMINATE_ACK and ipcp.opened and item.moment < ipcp.opened:
            yield f"{side(item.from_client)} answers IPCP with Terminate-Ack until encryption is up", item.moment


def _slow_start(view: View) -> Iterator[tuple[str, Moment]]:
    lcp = view.link.lcp
    for client in (True, False):
        unanswered = [item for item in lcp.side(client).unanswered if lcp.opened and item.moment < lcp.opened]
        if unanswered:
            yield f"the first LCP request of {side(client)} was lost while the other side started", unanswered[0].moment


def _rejects(view: View) -> Iterator[tuple[str, Moment]]:
    for item in view.link.lcp.others:
        if item.packet.code == Code.CODE_REJECT and item.packet.data[:1] == bytes((Code.IDENTIFICATION,)):
            yield f"{side(item.from_client)} does not know the LCP Identification of Windows", item.moment
        elif item.packet.code == Code.PROTOCOL_REJECT and item.packet.data[:2] == Protocol.IPV6CP.to_bytes(2):
            yield f"{side(item.from_client)} has no IPv6 inside the tunnel", item.moment
