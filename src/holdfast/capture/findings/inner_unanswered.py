"""Inside the tunnel, questions get no answer."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.inner_traffic import take_apart, unanswered

ENTRY = Entry(
    id="inner-unanswered",
    title="Inside the tunnel nothing answers",
    meaning="With the user's password the tunnel can be read: connections, pings or questions to name servers go out "
    "and nothing comes back, so what is behind the server does not know the way, or does not forward.",
    recognised="At least three SYNs, pings or DNS questions inside, most of them unanswered.",
    severity=Severity.FAULT,
    fixes=Fixes(
        server=(
            "Forwarding: `sysctl net.ipv4.ip_forward=1`; NAT for the pool; forward chain open for ppp+ both ways.",
            "DNS: does the name server handed out by IPCP answer clients from the pool?",
        ),
    ),
    capture_next="Capture on the server's inner interface at the same time.",
    references=("RFC 1812 section 5.2",),
    explains=frozenset({"no-return-traffic"}),
)

LEAST = 3


def recognise(view: View) -> Iterator[Finding]:
    """Count what wanted an answer."""
    inside = view.session.inside
    if inside is None or not inside.packets:
        return
    packets = take_apart(inside)
    asked = [packet for packet in packets if packet.wants_answer]
    silent = list(unanswered(packets))
    if len(silent) < LEAST or len(silent) * 2 < len(asked):
        return
    targets = sorted({str(packet.destination) for packet in silent})[:4]
    why = f"{len(silent)} of {len(asked)} questions inside got no answer: to {', '.join(targets)}."
    up = sum(packet.up for packet in silent) * 2 >= len(silent)
    frames = [packet.moment for packet in silent]
    yield ENTRY.found(why, frames, certainty=0.9, towards=Towards.CLIENT if up else Towards.SERVER)
