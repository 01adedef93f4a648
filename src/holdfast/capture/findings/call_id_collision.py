"""Two calls between the same addresses with the same Call ID."""

import itertools
from collections import defaultdict
from collections.abc import Iterator

from holdfast.capture.case import Case
from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.session import Phase, Session

ENTRY = Entry(
    id="call-id-collision",
    title="Two clients behind one address use the same Call ID",
    meaning="Behind a NAT several clients look like one address. GRE tells them apart only by the Call ID, and both "
    "chose the same: their packets get mixed up, and the second client (or both) fails.",
    recognised="Two calls at the same time between the same two addresses whose clients announce the same Call ID.",
    severity=Severity.FAULT,
    windows_codes=(619, 721, 806),
    fixes=Fixes(
        network=(advice.PASSTHROUGH + " A helper rewrites the Call IDs so that they differ.",),
        server=("A server that picks Call IDs unique over all clients, as Holdfast does, is half of the cure.",),
        client=("Connect one after the other, or give each client a public address of its own.",),
    ),
    capture_next="Capture on both sides of the NAT at the same time.",
    references=("RFC 2637 section 4.1",),
    explains=frozenset({"lcp-unanswered", "stopped-early"}),
)


def recognise_case(case: Case) -> Iterator[tuple[Session | None, Finding]]:
    """Calls with the same announced ID that overlap."""
    groups: dict[tuple[str, str, int], list[Session]] = defaultdict(list)
    for session in case.apart:
        if session.call and session.call.client_call_id is not None and session.call.granted:
            groups[session.client, session.server, session.call.client_call_id].append(session)
    for (client, _, call_id), sessions in groups.items():
        for earlier, later in itertools.pairwise(sessions):
            if not _overlap(earlier, later):
                continue
            why = f"Two calls of {client} at the same time announce Call ID {call_id}."
            frames = [each.call.request.moment for each in (earlier, later) if each.call and each.call.request]
            failed = Phase.ADDRESS not in later.phases
            severity = Severity.FAULT if failed else Severity.WARNING
            yield later, ENTRY.found(why, frames, certainty=0.9, severity=severity, towards=Towards.CLIENT)


def _overlap(earlier: Session, later: Session) -> bool:
    end = earlier.goodbye[0] if earlier.goodbye else earlier.ended
    return later.started < end and earlier.conversation is not later.conversation
