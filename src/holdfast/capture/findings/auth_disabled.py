"""The account is disabled."""

from collections.abc import Iterator

from holdfast.capture.findings.auth_failures import failed_with, failure_words, frames_of
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="auth-disabled",
    title="The account is disabled",
    meaning="The password may be right; the account is switched off or locked.",
    recognised="E=647 in a CHAP Failure, or 647 in the Terminate-Request.",
    severity=Severity.FAULT,
    windows_codes=(647,),
    fixes=Fixes(server=("Enable or unlock the account. Find out who disabled it, and why.",)),
    references=("RFC 2759 section 6",),
    explains=ENDS,
)


def recognise(view: View) -> Iterator[Finding]:
    """Error 647."""
    attempt = failed_with(view, 647)
    if attempt:
        yield ENTRY.found(failure_words(attempt), frames_of(attempt), certainty=0.98, towards=Towards.SERVER)
