"""Not allowed at this hour."""

from collections.abc import Iterator

from holdfast.capture.findings.auth_failures import failed_with, failure_words, frames_of
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="auth-hours",
    title="Not allowed at this time of day",
    meaning="Name and password are fine; the account may not connect now.",
    recognised="E=646 in a CHAP Failure, or 646 in the Terminate-Request.",
    severity=Severity.FAULT,
    windows_codes=(646,),
    fixes=Fixes(server=("Extend the logon hours of the account; check the server's clock and time zone.",)),
    references=("RFC 2759 section 6",),
    explains=ENDS,
)


def recognise(view: View) -> Iterator[Finding]:
    """Error 646."""
    attempt = failed_with(view, 646)
    if attempt:
        yield ENTRY.found(failure_words(attempt), frames_of(attempt), certainty=0.98, towards=Towards.SERVER)
