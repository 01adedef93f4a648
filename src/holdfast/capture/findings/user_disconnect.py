"""The user hung up."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Severity, Towards
from holdfast.capture.findings.ends import USER_CODES, USER_WORDS, told
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="user-disconnect",
    title="The user ended the session",
    meaning="The client said goodbye on purpose. Nothing to repair.",
    recognised="A Terminate-Request of the client that says 'User request', or with Windows error 0, 629 or 631.",
    severity=Severity.NOTE,
    windows_codes=(629, 631),
    references=("RFC 1661 section 5.5",),
    explains=frozenset({"client-ended"}),
)


def recognise(view: View) -> Iterator[Finding]:
    """The client's own words."""
    ending = told(view, USER_WORDS, USER_CODES)
    if ending and ending.from_client:
        why = f"The client's Terminate-Request says: {ending.cause.text}"
        yield ENTRY.found(why, [ending.moment], certainty=0.9, towards=Towards.SERVER)
