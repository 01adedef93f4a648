"""GRE from the client does not arrive."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.one_way import never_heard
from holdfast.capture.findings.view import View, moments
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-missing-from-client",
    title="GRE from the client does not arrive",
    meaning="The server's tunnel packets are there, the client's are not, or the server never hears them: something "
    "between client and server drops IP protocol 47 in that direction.",
    recognised="GRE from the server and none from the client for five seconds; or both are there, and the server "
    "repeats what the client has answered long ago.",
    severity=Severity.FAULT,
    windows_codes=(619, 721, 806),
    fixes=Fixes(
        server=(advice.ALLOW_GRE_SERVER,),
        network=(advice.ALLOW_GRE_NETWORK, advice.PASSTHROUGH),
        client=("Allow GRE out: the firewall of this host and of the router in front of it.", advice.OTHER_NETWORK),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4",),
    explains=frozenset(
        {"lcp-unanswered", "client-ended", "server-ended", "stopped-early", "user-disconnect", "admin-disconnect"}
    ),
)

PATIENCE = 5.0


def recognise(view: View) -> Iterator[Finding]:
    """One way only, or the server is deaf."""
    session, granted = view.session, view.granted
    if view.half:
        return
    if session.down and not session.up and granted and not session.strays:
        begun = min(Moment(*flow.first) for flow in session.down)
        waited = view.watched_after(begun)
        packets = session.gre_packets(up=False)
        if waited >= PATIENCE and packets >= 2:
            why = f"The server sent {packets} GRE packets in {waited:.0f} s, the client none."
            certainty = 0.9 if packets >= 4 else 0.7
            requests = moments(view.link.lcp.server.requests)
            yield ENTRY.found(why, requests or [begun], certainty=certainty, towards=Towards.SERVER)
        return
    yield from never_heard(view, ENTRY, deaf_client=False)
