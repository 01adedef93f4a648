"""GRE from the server does not arrive."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.one_way import never_heard
from holdfast.capture.findings.view import View, moments
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-missing-from-server",
    title="GRE from the server does not arrive",
    meaning="The client's tunnel packets are there, the server's are not, or the client never hears them: something "
    "between server and client drops IP protocol 47 in that direction.",
    recognised="GRE from the client and none from the server for five seconds; or both are there, and the client "
    "repeats what the server has answered long ago.",
    severity=Severity.FAULT,
    windows_codes=(619, 721, 806),
    fixes=Fixes(
        server=(
            advice.ALLOW_GRE_SERVER,
            "Is the answer sent from the address that the client dialled? `ip route get CLIENT`",
        ),
        network=(advice.ALLOW_GRE_NETWORK, advice.PASSTHROUGH),
        client=("Allow GRE in: the firewall of this host and of the router in front of it.", advice.OTHER_NETWORK),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4",),
    explains=frozenset(
        {"lcp-unanswered", "client-ended", "server-ended", "stopped-early", "user-disconnect", "admin-disconnect"}
    ),
)

PATIENCE = 5.0


def recognise(view: View) -> Iterator[Finding]:
    """One way only, or the client is deaf."""
    session, granted = view.session, view.granted
    if view.half:
        return
    if session.up and not session.down and granted and not session.strays:
        begun = min(Moment(*flow.first) for flow in session.up)
        waited = view.watched_after(begun)
        packets = session.gre_packets(up=True)
        if waited >= PATIENCE and packets >= 2:
            why = f"The client sent {packets} GRE packets in {waited:.0f} s, the server none."
            certainty = 0.9 if packets >= 4 else 0.7
            requests = moments(view.link.lcp.client.requests)
            yield ENTRY.found(why, requests or [begun], certainty=certainty, towards=Towards.CLIENT)
        return
    yield from never_heard(view, ENTRY, deaf_client=True)
