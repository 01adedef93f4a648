"""The server's administrator, or its shutdown, ended the session."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.ends import USER_CODES, USER_WORDS, by_admin, told
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="admin-disconnect",
    title="The server was told to end the session",
    meaning="Somebody at the server ended the session, or the server shut down. Nothing is wrong with the line.",
    recognised="A Stop-Control-Connection-Request or a Call-Disconnect-Notify with 'Admin Shutdown' from the server "
    "without an LCP goodbye before it; or the server's Terminate-Request says 'User request'.",
    severity=Severity.NOTE,
    windows_codes=(628, 629),
    fixes=Fixes(server=("Who did it? The server's log, and: last; `journalctl -u pptpd`.",)),
    references=("RFC 2637 section 2.3", "RFC 2637 section 2.13"),
    explains=frozenset({"server-ended"}),
)


def recognise(view: View) -> Iterator[Finding]:
    """The server's own words."""
    if not view.up:
        return
    moment = by_admin(view)
    ending = told(view, USER_WORDS, USER_CODES)
    if moment:
        yield ENTRY.found("The server closed the call from its side.", [moment], certainty=0.7, towards=Towards.CLIENT)
    elif ending and not ending.from_client:
        why = f"The server's Terminate-Request says: {ending.cause.text} (pppd says so when it is told to stop)."
        yield ENTRY.found(why, [ending.moment], certainty=0.8, towards=Towards.CLIENT)
