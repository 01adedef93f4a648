"""40 bits here, 128 bits there."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.mppe_facts import asked_bits, countered_bits, failed, strengths
from holdfast.capture.findings.view import View, moments

ENTRY = Entry(
    id="mppe-strength-mismatch",
    title="Client and server want encryption of different strength",
    meaning="Both want encryption, but one accepts only strengths that the other refuses.",
    recognised="MPPE options of the two sides without a common strength, and no agreement.",
    severity=Severity.FAULT,
    windows_codes=(741, 742, 734),
    fixes=Fixes(
        server=("Allow 128 bits: pppd: `require-mppe-128`; RRAS: 'Strongest encryption (MPPE 128-bit)'.",),
        client=("Allow 128 bits: pppd: `require-mppe-128` instead of require-mppe-40; Windows: 'Maximum strength'.",),
    ),
    references=("RFC 3078 section 2",),
    explains=ENDS | {"ipcp-no-agreement", "mppe-refused"},
)


def recognise(view: View) -> Iterator[Finding]:
    """No bit in common."""
    ccp = view.link.ccp
    client = asked_bits(ccp.client) | countered_bits(ccp.server)
    server = asked_bits(ccp.server) | countered_bits(ccp.client)
    if failed(view) and client and server and not client & server:
        why = f"The client wants {strengths(client)} bits, the server {strengths(server)}."
        frames = moments([*ccp.client.requests, *ccp.server.requests])
        yield ENTRY.found(why, frames, certainty=0.93, towards=Towards.BOTH)
