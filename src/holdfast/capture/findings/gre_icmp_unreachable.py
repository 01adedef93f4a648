"""Somebody on the path refuses GRE and says so."""

from collections.abc import Iterator

from holdfast._native import IcmpNotice
from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment
from holdfast.capture.session import Session

ENTRY = Entry(
    id="gre-icmp-unreachable",
    title="GRE is refused by ICMP",
    meaning="The tunnel's packets arrive somewhere that has no use for them, and it says so: a NAT without PPTP "
    "support, a host whose PPTP program is gone, or a firewall that forbids them.",
    recognised="ICMP protocol unreachable, port unreachable or prohibited that quotes GRE of this session.",
    severity=Severity.FAULT,
    windows_codes=(619, 721, 806),
    fixes=Fixes(
        server=(
            advice.ALLOW_GRE_SERVER,
            "Is the PPTP server still running? Without an open raw socket the kernel refuses GRE.",
        ),
        network=(advice.ALLOW_GRE_NETWORK, advice.PASSTHROUGH),
        client=(
            "Is the VPN program still running? A client that gave up refuses late packets; then this is an effect.",
        ),
    ),
    capture_next="Capture at the address that sent the ICMP message.",
    references=("RFC 792", "RFC 2637 section 4"),
    explains=frozenset(
        {
            "gre-missing",
            "gre-missing-from-server",
            "gre-missing-from-client",
            "lcp-unanswered",
            "server-link-died",
            "stopped-early",
        }
    ),
)

LEAVING = 3.0
"""Seconds between the end of a program's GRE socket and the goodbye of its control connection."""
REFUSALS = {(3, 2), (3, 3), (3, 9), (3, 10), (3, 13)}
REFUSALS_6 = {(1, 1), (1, 4), (4, 1)}


def recognise(view: View) -> Iterator[Finding]:
    """A refusal that comes before the session is over."""
    for notice in view.icmp_gre:
        refusals = REFUSALS_6 if notice.version_6 else REFUSALS
        if (notice.kind, notice.code) not in refusals:
            continue
        first, last = Moment(*notice.first), Moment(*notice.last)
        if (
            _of_another(view, notice)
            or _leaving(view, notice)
            or not any(_during(view, moment) for moment in (first, last))
        ):
            continue
        to_server = notice.quoted_destination == view.session.server
        what = "protocol unreachable" if notice.code in (1, 2) else "prohibited or unreachable"
        target = "" if notice.source == notice.quoted_destination else f" to {notice.quoted_destination}"
        why = f"{notice.source} refuses GRE{target} by ICMP {what} ({notice.count}x)."
        towards = Towards.SERVER if to_server else Towards.CLIENT
        severity = Severity.WARNING if view.up else Severity.FAULT
        yield ENTRY.found(why, [first, last], certainty=0.95, towards=towards, severity=severity)
        return


def _during(view: View, moment: Moment) -> bool:
    """Whether a refusal belongs to this session: it may be counted for several of the same two addresses.

    After the end nobody listens any more; that is how it must be.
    """
    goodbye = view.session.goodbye
    return view.session.started <= moment and (goodbye is None or moment <= goodbye[0])


def _leaving(view: View, notice: IcmpNotice) -> bool:
    """Whether an end refuses late packets of a session that was up, because its program is about to say goodbye."""
    goodbye = view.session.goodbye
    if not view.up or goodbye is None or notice.source != notice.quoted_destination:
        return False
    return goodbye[0].since(Moment(*notice.first)) < LEAVING


def _of_another(view: View, notice: IcmpNotice) -> bool:
    """Whether the quoted Call ID is that of another call between the same two, as behind one NAT, and not of this."""
    to_server = notice.quoted_destination == view.session.server

    def named(session: Session) -> bool:
        call = session.call
        known = (call.server_call_id if to_server else call.client_call_id) if call else None
        return known is not None and known == notice.quoted_call_id

    return not named(view.session) and any(named(other) and notice in other.icmp for other in view.case.sessions)
