"""One side has no MPPE at all."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.mppe_facts import CODES, REQUIRED, failed
from holdfast.capture.findings.view import View, side

ENTRY = Entry(
    id="mppe-unavailable",
    title="One side has no encryption to offer",
    meaning="One side does not even know the protocol that negotiates encryption: the kernel module is missing, or the "
    "authentication method gives no keys.",
    recognised="An LCP Protocol-Reject of CCP; or CCP never asked for although a Terminate-Request says that MPPE is "
    "required.",
    severity=Severity.FAULT,
    windows_codes=(741, 742, 734),
    fixes=Fixes(
        server=("`modprobe ppp_mppe`; MS-CHAPv2 is needed for keys; RADIUS must return MS-MPPE-Send-Key, -Recv-Key.",),
        client=("`modprobe ppp_mppe`; allow MS-CHAPv2, as PAP and CHAP give no keys.",),
    ),
    references=("RFC 3079 section 3", "RFC 1661 section 5.7"),
    explains=ENDS | {"ipcp-no-agreement"},
)


def recognise(view: View) -> Iterator[Finding]:
    """CCP itself is rejected, or missing where it is required."""
    ccp = view.link.ccp
    ending = view.ending_with(*REQUIRED) or view.ending_code(*CODES)
    if not failed(view):
        return
    if ccp.rejections:
        rejection = ccp.rejections[0]
        why = f"{side(rejection.from_client).capitalize()} rejects CCP as a whole."
        why += f" Then {side(ending.from_client)} ends the session: {ending.cause.text}" if ending else ""
        towards = Towards.SERVER if rejection.from_client else Towards.CLIENT
        frames = [rejection.moment, ending.moment if ending else None]
        yield ENTRY.found(why, frames, certainty=0.95 if ending else 0.7, towards=towards)
    elif ending and not (ccp.client.exchanges and ccp.server.exchanges):
        silent = side(not ccp.client.exchanges)
        why = f"{ending.cause.text}; {silent} never asked for it."
        yield ENTRY.found(why, [ending.moment], certainty=0.8)
