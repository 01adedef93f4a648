"""A client connects again and again."""

from collections import defaultdict
from collections.abc import Iterator

from holdfast.capture.case import Case
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.session import Session

ENTRY = Entry(
    id="flapping",
    title="The client connects again and again",
    meaning="One client opens one session after the other, none of which lasts. Users feel it as constant dropping.",
    recognised="Four or more sessions of one client to one server, most of them shorter than two minutes.",
    severity=Severity.WARNING,
    fixes=Fixes(
        client=("Wait longer between tries: a client without back-off makes an outage worse.",),
        server=("Look at the finding of the single sessions first; this is their consequence.",),
    ),
)

LEAST, SHORT = 4, 120.0


def recognise_case(case: Case) -> Iterator[tuple[Session | None, Finding]]:
    """Many short sessions."""
    groups: dict[tuple[str, str], list[Session]] = defaultdict(list)
    for session in case.apart:
        if session.conversation and session.conversation.cookie:
            groups[session.client, session.server].append(session)
    for (client, server), sessions in groups.items():
        apart = {id(session.conversation) for session in sessions}
        short = [session for session in sessions if session.ended.since(session.started) < SHORT]
        refused = [session for session in sessions if session.link.authentication.failures]
        if len(apart) >= LEAST and len(short) * 4 >= len(sessions) * 3 and len(refused) * 2 < len(sessions):
            why = f"{len(sessions)} sessions of {client} at {server}, {len(short)} of them shorter than two minutes."
            yield None, ENTRY.found(why, [session.started for session in sessions], certainty=0.8)
