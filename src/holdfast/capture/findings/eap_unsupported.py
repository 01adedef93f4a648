"""The server wants EAP and the client cannot."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, moments
from holdfast.ppp.authentication_types import Method, method_from_option
from holdfast.ppp.options import LcpOption

ENTRY = Entry(
    id="eap-unsupported",
    title="The server wants EAP, the client cannot",
    meaning="The server accepts only EAP (smart cards, certificates, PEAP), and this client has no such method.",
    recognised="The server asks for EAP alone, the client refuses it, and LCP never opens or the server ends it as the "
    "client has not authenticated; or EAP ends in a Failure after a Nak.",
    severity=Severity.FAULT,
    windows_codes=(812, 919),
    fixes=Fixes(
        server=("Allow MS-CHAPv2 beside EAP: NPS network policy, Constraints, Authentication Methods.",),
        client=("pppd: refuse-eap makes MS-CHAPv2 the offer; Windows: choose the same method as the server.",),
    ),
    capture_next=advice.CAPTURE_WHOLE,
    references=("RFC 2284 section 2", "RFC 1661 section 6.2"),
    explains=ENDS | {"lcp-loop", "ipcp-no-agreement", "mppe-refused"},
)

FAILURE = 4


def recognise(view: View) -> Iterator[Finding]:
    """EAP asked for and refused, in LCP or later."""
    lcp, authentication = view.link.lcp, view.link.authentication
    values = lcp.server.asked(LcpOption.AUTHENTICATION_PROTOCOL)
    only_eap = bool(values) and all(method_from_option(value) is Method.EAP for value in values)
    refused = lcp.server.refused(LcpOption.AUTHENTICATION_PROTOCOL)
    refused += lcp.server.countered(LcpOption.AUTHENTICATION_PROTOCOL)
    failures = [item for item in authentication.eap if item.packet.code == FAILURE]
    if failures and authentication.eap_refused:
        frames = moments(authentication.eap)
        yield ENTRY.found(
            "The client refuses every method that the server offers inside EAP.",
            frames,
            certainty=0.75,
            towards=Towards.SERVER,
        )
    elif only_eap and refused and _in_vain(view) and (view.over or len(refused) >= 3):
        why = "The server asks for EAP and nothing else; the client refuses it."
        yield ENTRY.found(why, moments(refused), certainty=0.9, towards=Towards.SERVER)


def _in_vain(view: View) -> bool:
    """Whether the refusal is the end of it: pppd drops the option, lets LCP open, and then hangs up for want of it."""
    hung_up = any(not ending.from_client for ending in view.link.endings)
    return view.link.lcp.opened is None or (hung_up and not view.up and not view.link.authentication.attempts)
