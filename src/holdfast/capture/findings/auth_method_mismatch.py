"""No authentication method that both sides accept."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, moments, side
from holdfast.capture.negotiation import find_option, options_of
from holdfast.ppp.authentication_types import Method, method_from_option
from holdfast.ppp.options import LcpOption

ENTRY = Entry(
    id="auth-method-mismatch",
    title="Client and server know no common authentication method",
    meaning="The server asks for one way to prove who the user is, the client offers others, and neither gives way.",
    recognised="The server's Authentication-Protocol option is refused (Configure-Nak or -Reject) and LCP never opens; "
    "or a Terminate-Request says so.",
    severity=Severity.FAULT,
    windows_codes=(812, 919, 734),
    fixes=Fixes(
        server=("Allow MS-CHAPv2: pppd: require-mschap-v2 and no refuse-mschap-v2; RRAS: authentication methods.",),
        client=("Allow MS-CHAPv2 in the properties of the connection (Security), pppd: no refuse-mschap-v2.",),
    ),
    capture_next=advice.CAPTURE_WHOLE,
    references=("RFC 1661 section 6.2",),
    explains=ENDS | {"lcp-loop", "ipcp-no-agreement", "mppe-refused"},
)

PHRASES = (
    "no auth is possible",
    "no acceptable auth",
    "peer refused to authenticate",
    "cann't negotiate authentication",
    "authentication protocol",
)


def recognise(view: View) -> Iterator[Finding]:
    """A refused option 3 of the server."""
    lcp = view.link.lcp
    ending = view.ending_with(*PHRASES) or view.ending_code(812, 919)
    refused = lcp.server.refused(LcpOption.AUTHENTICATION_PROTOCOL)
    countered = lcp.server.countered(LcpOption.AUTHENTICATION_PROTOCOL)
    if view.link.authentication.attempts or view.up or not (refused or countered or ending):
        return
    if lcp.opened is not None and ending is None:
        return
    asked = {method_from_option(value) for value in lcp.server.asked(LcpOption.AUTHENTICATION_PROTOCOL)}
    if asked == {Method.EAP} or not (view.over or len(refused + countered) >= 3):
        return  # that is eap-unsupported, or it is still going on
    names = ", ".join(sorted(str(method) for method in asked if method)) or "an unknown method"
    offers = [find_option(options_of(item), LcpOption.AUTHENTICATION_PROTOCOL) for item in countered]
    wanted = ", ".join(sorted({str(method_from_option(offer)) for offer in offers if offer}))
    why = f"The server asks for {names}; the client "
    why += f"wants {wanted}." if wanted else "refuses."
    if ending:
        why += f" {side(ending.from_client).capitalize()} ends it: {ending.cause.text}"
    frames = [*moments(refused), *moments(countered), ending.moment if ending else None]
    yield ENTRY.found(why, frames, certainty=0.9, towards=Towards.BOTH)
