"""The account may not dial in."""

from collections.abc import Iterator

from holdfast.capture.findings.auth_failures import failed_with, failure_words, frames_of
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="auth-no-permission",
    title="The account has no permission for remote access",
    meaning="Name and password are right; this account is not allowed to use the VPN.",
    recognised="E=649 in a CHAP Failure, or 649 in the Terminate-Request.",
    severity=Severity.FAULT,
    windows_codes=(649,),
    fixes=Fixes(server=("Allow it: account properties, Dial-in; or the NPS network policy and its groups.",)),
    references=("RFC 2759 section 6",),
    explains=ENDS,
)


def recognise(view: View) -> Iterator[Finding]:
    """Error 649."""
    attempt = failed_with(view, 649)
    if attempt:
        yield ENTRY.found(failure_words(attempt), frames_of(attempt), certainty=0.98, towards=Towards.SERVER)
