"""A NAT that translates TCP and does not know PPTP."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="nat-without-helper",
    title="A NAT on the way does not know PPTP",
    meaning="GRE has no ports. A NAT needs a PPTP helper (passthrough, ALG) to send the tunnel's packets to the right "
    "computer behind it, or to send them out at all.",
    recognised="GRE for the call with another source than the TCP connection; or a Call ID that was never announced; "
    "or, as a hint, a private client address and GRE missing from the server.",
    severity=Severity.FAULT,
    windows_codes=(619, 721, 806),
    fixes=Fixes(
        network=(advice.PASSTHROUGH,),
        client=("Connect without the NAT once (a public address, or a phone's hotspot) to be sure.",),
        server=("When the server is behind the NAT: forward TCP 1723 and IP protocol 47 to it.",),
    ),
    capture_next="Capture on both sides of the NAT at the same time.",
    references=("RFC 2637 section 4.1", "RFC 3022 section 5"),
    explains=frozenset({"lcp-unanswered", "stopped-early"}),
)


def recognise(view: View) -> Iterator[Finding]:
    """Strays are proof, a private address is a hint."""
    session = view.session
    if view.up:
        return
    strays = [Moment(*flow.first) for flow in session.strays]
    elsewhere = [
        flow for flow in session.strays if flow.source != session.client and flow.destination == session.server
    ]
    answers = [flow for flow in session.strays if flow.source != session.server and flow.destination == session.client]
    if answers and not session.down:
        why = f"TCP goes to {session.server}, but GRE for the same call comes from {answers[0].source}: the server "
        why += "stands behind a NAT that translates TCP and not GRE."
        yield ENTRY.found(why, strays, certainty=0.9, towards=Towards.CLIENT)
    elif elsewhere:
        why = f"TCP comes from {session.client}, but GRE for the same call from {elsewhere[0].source}: TCP was "
        why += "translated and GRE was not."
        yield ENTRY.found(why, strays, certainty=0.9, towards=Towards.SERVER)
    elif strays:
        flow = session.strays[0]
        why = f"GRE from {flow.source} to {flow.destination} names Call ID {flow.call_id}, which nobody announced."
        yield ENTRY.found(why, strays, certainty=0.8)
    elif view.granted and session.up and not session.down and view.behind_nat and session.gre_packets(up=True) >= 3:
        why = f"The client's address {session.client} is private, so a NAT lies between, and no GRE comes back."
        first = [Moment(*session.up[0].first)]
        yield ENTRY.found(why, first, certainty=0.5, severity=Severity.WARNING, towards=Towards.CLIENT)
