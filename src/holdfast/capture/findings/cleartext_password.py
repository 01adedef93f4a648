"""A password goes over the line as it is."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.ppp.framing import Protocol

ENTRY = Entry(
    id="cleartext-password",
    title="The password is sent in clear text",
    meaning="With PAP everybody on the way can read the password. It should be seen as known to others.",
    recognised="A PAP Authenticate-Request.",
    severity=Severity.WARNING,
    fixes=Fixes(
        server=("Refuse PAP: pppd: `refuse-pap require-mschap-v2`. " + advice.MIGRATE,),
        client=("Change this password, and allow only MS-CHAPv2.",),
    ),
    references=("RFC 1334 section 2",),
)


def recognise(view: View) -> Iterator[Finding]:
    """Any PAP request."""
    frames = [item.moment for item in view.link.items if item.protocol == Protocol.PAP and item.packet.code == 1]
    if frames:
        user = view.session.user
        why = f"The password of {user or 'a user'} can be read in {len(frames)} frame{'s' if len(frames) > 1 else ''}."
        yield ENTRY.found(why, frames, certainty=0.99, towards=Towards.SERVER)
