"""The session was ended because nobody used it."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.ends import IDLE_WORDS, classified, end_of, told
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="idle-timeout",
    title="The session was idle and was ended for it",
    meaning="Nobody sent anything for a while, and one side is configured to end such sessions.",
    recognised="A Terminate-Request about inactivity; or, as a guess, no user data for exactly full tens of seconds "
    "before an end that says nothing.",
    severity=Severity.NOTE,
    windows_codes=(828,),
    fixes=Fixes(server=("Raise or remove the limit: pppd idle, RADIUS Idle-Timeout, RRAS profile.",)),
    references=("RFC 2865 section 5.28",),
    explains=frozenset({"server-ended", "client-ended"}),
)

SHORTEST, STEP, SLACK = 20.0, 10.0, 1.2


def recognise(view: View) -> Iterator[Finding]:
    """By word, or by the clock."""
    ending = told(view, IDLE_WORDS, (828,))
    if ending:
        yield ENTRY.found(f"Terminate-Request: {ending.cause.text}", [ending.moment], certainty=0.95)
        return
    end = end_of(view)
    if end is None or classified(view):
        return
    data = [Moment(*frame.place) for flow in view.session.up + view.session.down for frame in flow.data]
    last = max((moment for moment in data if moment < end[0]), default=None)
    quiet = end[0].since(last) if last else 0.0
    off = min(quiet % STEP, STEP - quiet % STEP)
    if last and quiet >= SHORTEST and off <= SLACK:
        why = f"No user data for {quiet:.0f} s before {side(end[1])} ended the session, as a configured limit does."
        yield ENTRY.found(why, [last, end[0]], certainty=0.45)
