"""The server's PPP side never starts, or dies at once."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="server-link-died",
    title="The server's PPP program never started, or died",
    meaning="The server granted the call and then hung up by itself, without its PPP side having said a word: its "
    "pppd has a bad option, no rights, a missing plug-in, or no device.",
    recognised="A granted call, no GRE from the server, and the server closes the control connection or the call "
    "within fifteen seconds.",
    severity=Severity.FAULT,
    windows_codes=(619, 628, 806),
    fixes=Fixes(
        server=(
            (
                "Read the server's log of that second: no 'Connect:', then 'PTY read or GRE write failed', means that "
                "pppd exited. Try its options by hand: `pppd file /etc/ppp/pptpd-options nodetach dryrun`."
            ),
            "Usual causes: an option that this pppd does not know, a missing plug-in, no /dev/ppp, no rights.",
        ),
    ),
    capture_next=advice.SERVER_LOG,
    references=("RFC 2637 section 3.2",),
    explains=frozenset(
        {
            "gre-missing",
            "gre-missing-from-server",
            "server-ended",
            "lcp-unanswered",
            "stopped-early",
            "admin-disconnect",
        }
    ),
)

QUICKLY = 15.0


def recognise(view: View) -> Iterator[Finding]:
    """The server hangs up on a call that it never used."""
    session, granted = view.session, view.granted
    if (
        granted is None
        or session.down
        or session.strays
        or session.goodbye is None
        or view.lcp_opened_by_word
        or view.half
    ):
        return
    moment, from_client = session.goodbye
    lasted = moment.since(granted)
    if from_client or not 0 <= lasted <= QUICKLY:
        return
    sent = session.gre_packets(up=True)
    why = f"The server hung up {lasted:.1f} s after it granted the call, and sent no GRE at all"
    why += f" (the client sent {sent})." if sent else "."
    certainty = 0.85 if sent and lasted < 5 else 0.7 if sent else 0.6
    if view.behind_nat and sent:
        why += " A NAT that refuses the server's GRE by ICMP looks the same from here."
        certainty -= 0.2
    frames = [granted, *(Moment(*flow.first) for flow in session.up), moment]
    yield ENTRY.found(why, frames, certainty=certainty, towards=Towards.CLIENT)
