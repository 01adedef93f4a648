"""The server never answers the request for a call."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="call-unanswered",
    title="The call is never answered",
    meaning="The control connection is up, and the request for a tunnel gets neither yes nor no.",
    recognised="An Outgoing-Call-Request without a reply for ten seconds, or until the server ends the connection, or "
    "until the client does after more than a second.",
    severity=Severity.FAULT,
    windows_codes=(619, 800),
    fixes=Fixes(server=("The part of the server that starts sessions hangs: restart it, read its log.",)),
    capture_next=advice.CAPTURE_SERVER,
    references=("RFC 2637 section 2.7",),
)

PATIENCE = 10.0


def recognise(view: View) -> Iterator[Finding]:
    """A request for a call into nothing."""
    call = view.call
    if call is None or call.request is None or call.reply is not None or view.session.down or view.half:
        return
    end = view.session.goodbye
    waited = view.lived_after(call.request.moment)
    hung_up = end is not None and not end[1] and end[0] > call.request.moment
    if waited >= PATIENCE or hung_up or (view.over and waited > 1):
        why = f"The request of frame {call.request.moment.frame} was not answered in {waited:.1f} s."
        if hung_up:
            why += " Then the server hung up."
        frames = [call.request.moment, end[0] if end else None]
        yield ENTRY.found(why, frames, certainty=0.8 if waited > 1 else 0.65, towards=Towards.CLIENT)
