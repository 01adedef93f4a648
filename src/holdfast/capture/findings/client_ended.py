"""The client ended the session in good order."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Severity, Towards
from holdfast.capture.findings.ends import classified, end_of, last_terminate
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="client-ended",
    title="The client ended the session in good order",
    meaning="The client said goodbye properly. The packets do not say whether the user wanted it: with encryption on, "
    "pppd writes 'MPPE disabled' for every end.",
    recognised="The first goodbye comes from the client and gives no reason.",
    severity=Severity.NOTE,
    windows_codes=(629, 631),
    references=("RFC 1661 section 5.5", "RFC 2637 section 2.12"),
)


def recognise(view: View) -> Iterator[Finding]:
    """A goodbye without a reason."""
    end = end_of(view)
    if end and end[1] and not classified(view):
        ending = last_terminate(view)
        text = f" It says: {ending.cause.text}" if ending and ending.cause.text else ""
        yield ENTRY.found(
            f"The client began to end the session.{text}", [end[0]], certainty=0.8, towards=Towards.SERVER
        )
