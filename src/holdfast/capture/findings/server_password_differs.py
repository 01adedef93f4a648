"""The server has another password than the client."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="server-password-differs",
    title="The client's password is the given one, and the server refuses it",
    meaning="The client used exactly the password that was given here, and the server says that it is wrong: the "
    "server (or its RADIUS) has another password for this user, or looks for the user in another domain.",
    recognised="The NT-Response fits the given password and the server answered with a failure; or the server's own "
    "proof does not fit.",
    severity=Severity.FAULT,
    windows_codes=(691, 742),
    fixes=Fixes(server=("Set the user's password on the server again. Is the name found in another place first?",)),
    references=("RFC 2759 section 8",),
    explains=ENDS | {"auth-rejected"},
)


def recognise(view: View) -> Iterator[Finding]:
    """The right password, refused; or accepted with a wrong proof."""
    inside = view.session.inside
    attempts = [attempt for attempt in view.link.authentication.attempts if attempt.by_client]
    if inside is None or not inside.password_fits or not attempts:
        return
    last = attempts[-1]
    frames = [last.sent.moment, last.result.moment if last.result else None]
    if last.accepted is False:
        yield ENTRY.found("The client's answer is right, and the server refuses it.", frames, certainty=0.97)
    elif inside.server_proved is False:
        why = "The server accepted the client, but its own proof does not fit this password."
        yield ENTRY.found(why, frames, certainty=0.97, towards=Towards.CLIENT)
