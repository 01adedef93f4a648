"""Nobody was asked who they are."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.session import Kind

ENTRY = Entry(
    id="no-authentication",
    title="The tunnel opens without any authentication",
    meaning="The server lets everybody in without a name and a password.",
    recognised="LCP opens without an Authentication-Protocol option, and addresses are agreed.",
    severity=Severity.WARNING,
    fixes=Fixes(server=("pppd: auth and require-mschap-v2; never noauth on a server.",)),
    references=("RFC 1661 section 6.2",),
)


def recognise(view: View) -> Iterator[Finding]:
    """Addresses without proof, when the capture shows the whole negotiation."""
    lcp, ipcp = view.link.lcp, view.link.ipcp
    if lcp.opened is None or ipcp.opened is None or view.link.method is not None or view.link.authentication.eap:
        return
    if view.session.kind is Kind.PPP or ipcp.opened < lcp.opened:
        return
    why = "LCP opened without an authentication option, and addresses were agreed."
    yield ENTRY.found(why, [lcp.opened, ipcp.opened], certainty=0.9)
