"""A router says that there is no way to the server."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="network-unreachable",
    title="There is no route to the other end",
    meaning="A router on the way says that it knows no path to that network, or that nobody there has the address.",
    recognised="ICMP network or host unreachable that quotes the session's TCP or GRE.",
    severity=Severity.FAULT,
    windows_codes=(800,),
    fixes=Fixes(
        network=("Ask the router that answered for its routes: `ip route get ADDRESS`; is an ARP answer missing?",),
        client=("Is the address right, and is this host itself connected? `ip route get SERVER`; `tracert SERVER`.",),
    ),
    capture_next="Capture on the far side of the router that answered.",
    references=("RFC 792", "RFC 1812 section 5.2.7.1"),
    explains=frozenset({"gre-missing", "gre-missing-from-server", "gre-missing-from-client", "gre-lost", "dead-peer"}),
)

UNREACHABLE = {0, 1, 5, 6, 7, 8, 11, 12}
UNREACHABLE_6 = {0, 3}


def recognise(view: View) -> Iterator[Finding]:
    """ICMP type 3 with a code about routes (ICMPv6 type 1)."""
    for notice in view.session.icmp:
        kind, codes = (1, UNREACHABLE_6) if notice.version_6 else (3, UNREACHABLE)
        if notice.kind == kind and notice.code in codes:
            to_server = notice.quoted_destination == view.session.server
            why = f"{notice.source} says by ICMP that {notice.quoted_destination} cannot be reached ({notice.count}x)."
            frames = [Moment(*notice.first), Moment(*notice.last)]
            severity = Severity.WARNING if view.up and not to_server else Severity.FAULT
            towards = Towards.SERVER if to_server else Towards.CLIENT
            yield ENTRY.found(why, frames, certainty=0.95, towards=towards, severity=severity)
            return
