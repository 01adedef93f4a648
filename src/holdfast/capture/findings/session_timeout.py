"""The session was ended because its time was over."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.ends import SESSION_WORDS, told
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="session-timeout",
    title="The session's time was over",
    meaning="Sessions may last only so long here, and this one reached the limit.",
    recognised="A Terminate-Request that says that the connect time expired.",
    severity=Severity.NOTE,
    windows_codes=(628, 629),
    fixes=Fixes(server=("Raise or remove the limit: pppd maxconnect, RADIUS Session-Timeout.",)),
    references=("RFC 2865 section 5.27",),
    explains=frozenset({"server-ended", "client-ended"}),
)


def recognise(view: View) -> Iterator[Finding]:
    """By word."""
    ending = told(view, SESSION_WORDS)
    if ending:
        yield ENTRY.found(f"Terminate-Request: {ending.cause.text}", [ending.moment], certainty=0.95)
