"""The password or the account has expired."""

from collections.abc import Iterator

from holdfast.capture.findings.auth_failures import failed_with, failure_words, frames_of
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="auth-expired",
    title="The password has expired",
    meaning="The password was right once; it must be changed before the user may connect.",
    recognised="E=648 (or 709: changing failed) in a CHAP Failure or in the Terminate-Request.",
    severity=Severity.FAULT,
    windows_codes=(648, 709),
    fixes=Fixes(
        server=("Set a new password, or allow changing it over MS-CHAPv2 (NPS: 'User can change password').",),
        client=("Change the password inside the network or by the help desk, then connect again.",),
    ),
    references=("RFC 2759 section 6",),
    explains=ENDS,
)


def recognise(view: View) -> Iterator[Finding]:
    """Errors 648 and 709."""
    attempt = failed_with(view, 648, 709)
    if attempt:
        yield ENTRY.found(failure_words(attempt), frames_of(attempt), certainty=0.98, towards=Towards.SERVER)
