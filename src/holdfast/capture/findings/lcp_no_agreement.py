"""LCP ends without agreement."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View, moments, side
from holdfast.ppp.codes import Code

ENTRY = Entry(
    id="lcp-no-agreement",
    title="LCP ends without agreement",
    meaning="The two sides talk about the basics of the link and part without having agreed.",
    recognised="LCP answers in both directions, never open, and a goodbye.",
    severity=Severity.FAULT,
    windows_codes=(718, 732, 734),
    fixes=Fixes(
        server=("Compare what each side refuses (see the ladder) with its configuration, and give way on one side.",),
    ),
    capture_next=advice.SERVER_LOG,
    references=("RFC 1661 section 4.3",),
    explains=ENDS - {"lcp-no-agreement"},
)


def recognise(view: View) -> Iterator[Finding]:
    """Refusals, then the end."""
    lcp = view.link.lcp
    if lcp.opened is not None or not view.over or view.up:
        return
    refusals = [
        answer
        for client in (True, False)
        for code in (Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT)
        for answer in lcp.side(client).answers(code)
    ]
    if refusals and lcp.client.exchanges and lcp.server.exchanges:
        last = max(refusals, key=lambda item: item.moment)
        why = f"The last word of {side(last.from_client)} was: {last.name} {last.text}."
        yield ENTRY.found(why, moments(refusals), certainty=0.6)
