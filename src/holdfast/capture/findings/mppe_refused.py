"""One side requires encryption, the other refuses it."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.mppe_facts import CODES, REQUIRED, asked_bits, failed, refusals, strengths
from holdfast.capture.findings.view import View, moments, side
from holdfast.ppp.framing import Protocol

ENTRY = Entry(
    id="mppe-refused",
    title="Encryption is required by one side and refused by the other",
    meaning="One side insists on MPPE, the other does not want it, so the session ends right after the password.",
    recognised="A Configure-Reject of the MPPE option, or a Terminate-Request that says that MPPE is required.",
    severity=Severity.FAULT,
    windows_codes=(741, 742, 734),
    fixes=Fixes(
        server=("Allow encryption: pppd: `require-mppe-128` (needs MS-CHAPv2), accel-ppp: mppe=require.",),
        client=("Allow encryption: pppd: `require-mppe-128`, no nomppe; Windows: 'Require encryption'.",),
    ),
    capture_next=advice.CAPTURE_WHOLE,
    references=("RFC 3078 section 2", "RFC 1962 section 2"),
    explains=ENDS | {"ipcp-no-agreement", "mppe-unavailable"},
)


def recognise(view: View) -> Iterator[Finding]:
    """Refused, and ended for it."""
    ending = view.ending_with(*REQUIRED) or view.ending_code(*CODES)
    said = [item for item in refusals(view) if item.protocol == Protocol.CCP]
    if not failed(view) or not (said or ending):
        return
    if not said and view.link.ccp.rejections:
        return  # the other side has no CCP at all: mppe-unavailable
    both = asked_bits(view.link.ccp.client), asked_bits(view.link.ccp.server)
    if all(both) and not both[0] & both[1]:
        return  # both want it, with other strengths: mppe-strength-mismatch
    why = f"{side(said[0].from_client).capitalize()} refuses encryption." if said else "Encryption was not agreed."
    if ending:
        why += f" {side(ending.from_client).capitalize()} ends the session: {ending.cause.text}"
    if any(both):
        why += f" Offered: client {strengths(both[0])} bits, server {strengths(both[1])} bits."
    towards = Towards.NONE
    if said:
        towards = Towards.SERVER if said[0].from_client else Towards.CLIENT
    frames = [*moments(said), ending.moment if ending else None]
    yield ENTRY.found(why, frames, certainty=0.95 if said and ending else 0.85, towards=towards)
