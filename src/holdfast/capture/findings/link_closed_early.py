"""PPP failed after LCP, as the control connection tells."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="link-closed-early",
    title="PPP failed after it had begun",
    meaning="The tunnel's own packets are not in this capture, but the control connection tells enough: the link "
    "opened, so GRE works both ways, and closed again at once. Most often the authentication failed.",
    recognised="Set-Link-Info with the maps 0/ffffffff (LCP opened) and, within seconds, ffffffff/ffffffff (LCP "
    "closed), without GRE in the capture.",
    severity=Severity.FAULT,
    windows_codes=(691, 619, 734),
    fixes=Fixes(
        server=("Read the log of that second: authentication, encryption or address was refused.",),
        client=("Check name, password and the allowed authentication methods.",),
    ),
    capture_next=advice.CAPTURE_WHOLE,
    references=("RFC 2637 section 2.15",),
    explains=frozenset(
        {"gre-missing", "client-ended", "server-ended", "stopped-early", "user-disconnect", "admin-disconnect"}
    ),
)

QUICKLY = 30.0


def recognise(view: View) -> Iterator[Finding]:
    """Opened and closed by word of Set-Link-Info."""
    opened, closed = view.lcp_opened_by_word, view.lcp_closed_by_word
    if opened is None or closed is None or view.session.up or view.session.down:
        return
    lasted = closed.since(opened)
    if lasted <= QUICKLY:
        why = f"By Set-Link-Info LCP opened and closed again {lasted:.1f} s later. So GRE works, and PPP failed after "
        why += "LCP: look at authentication first. The GRE packets themselves are not in the capture."
        yield ENTRY.found(why, [opened, closed], certainty=0.7)
