"""The password that was given is not the one the client used."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="password-differs",
    title="The given password is not the one that was used",
    meaning="The password given to the analyser does not fit what the client sent. When the server refused the client, "
    "this is why; when it accepted, the given password is simply another one.",
    recognised="The NT-Response in the capture differs from the one computed with the given password.",
    severity=Severity.NOTE,
    references=("RFC 2759 section 8.1",),
)


def recognise(view: View) -> Iterator[Finding]:
    """Compare, when a password was given."""
    inside = view.session.inside
    if inside is None or inside.password_fits is not False:
        return
    attempts = [attempt for attempt in view.link.authentication.attempts if attempt.by_client]
    frames = [attempt.sent.moment for attempt in attempts[-1:]]
    refused = bool(attempts and attempts[-1].accepted is False)
    why = "The client used another password than the given one" + (", and the server refused it." if refused else ".")
    yield ENTRY.found(why, frames, certainty=0.99)
