"""Packets run in circles until their time to live is over."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="routing-loop",
    title="Packets run in a circle",
    meaning="Two routers each think that the other knows the way, and hand the packet to and fro until it expires. "
    "With PPTP this often means that the route to the server itself was moved into the tunnel.",
    recognised="ICMP time exceeded that quotes the session's TCP or GRE.",
    severity=Severity.FAULT,
    windows_codes=(800, 806, 807),
    fixes=Fixes(
        network=(
            (
                "Follow the path: `traceroute -T -p 1723 SERVER`, for GRE `traceroute -P 47 SERVER`; where two "
                "addresses take turns, compare routes there."
            ),
        ),
        client=("Keep a host route to the server outside the tunnel: `ip route add SERVER via GATEWAY`.",),
    ),
    capture_next="Capture at one of the two routers that take turns in traceroute.",
    references=("RFC 792", "RFC 1812 section 5.3.1"),
    explains=ENDS | {"gre-missing", "gre-missing-from-client", "gre-missing-from-server", "lcp-unanswered"},
)

TIME_EXCEEDED, TIME_EXCEEDED_6 = 11, 3


def recognise(view: View) -> Iterator[Finding]:
    """ICMP type 11 code 0 (ICMPv6 type 3 code 0)."""
    for notice in view.session.icmp:
        kind = TIME_EXCEEDED_6 if notice.version_6 else TIME_EXCEEDED
        if notice.kind == kind and notice.code == 0:
            why = f"{notice.source} dropped packets to {notice.quoted_destination} because their TTL ran out "
            why += f"({notice.count}x)."
            certainty = 0.9 if notice.count >= 3 else 0.6
            yield ENTRY.found(why, [Moment(*notice.first), Moment(*notice.last)], certainty=certainty)
            return
