"""All is well."""

from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.session import Kind, Phase
from holdfast.capture.words import counted

ENTRY = Entry(
    id="healthy",
    title="This session is well",
    meaning="Everything that can be seen of this session is as it should be.",
    recognised="The session got its address or carried data, and no finding above a note applies.",
    severity=Severity.NOTE,
)


def found(view: View) -> Finding:
    """Say why the session counts as healthy."""
    link = view.link
    good = []
    if view.granted:
        good.append("the call was granted")
    if link.authentication.succeeded:
        good.append(f"{link.authentication.user or 'the user'} was accepted by {link.authentication.method_words}")
    if link.mppe:
        good.append(f"MPPE with {link.mppe.bits} bits {'stateless' if link.mppe.stateless else 'stateful'} is on")
    if link.client_address:
        good.append(f"the client has {link.client_address}")
    up, down = (view.session.data_packets(each) for each in (True, False))
    if up or down:
        good.append(f"data went {counted(up, 'packet')} to the server and {down} to the client")
    missing = sum(flow.missing for flow in view.session.up + view.session.down)
    if missing:
        good.append(f"{counted(missing, 'GRE packet')} {'is' if missing == 1 else 'are'} missing")
    elif view.session.kind is not Kind.PPP:
        good.append("no GRE packet is missing")
    certainty = 0.9 if view.reached(Phase.TRAFFIC) else 0.75
    why = "; ".join(good) + "."
    return ENTRY.found(why[0].upper() + why[1:], view.session.phases.values(), certainty=certainty)
