"""The same user came again, and the old session was ended for it."""

from collections.abc import Iterator

from holdfast.capture.case import Case
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.session import Phase, Session

ENTRY = Entry(
    id="session-replaced",
    title="A newer session of the same user took its place",
    meaning="The user connected again while the old session was still there, and the server ended the old one.",
    recognised="Another session of the same user is accepted at the server, and within three seconds the server ends "
    "this one.",
    severity=Severity.NOTE,
    windows_codes=(628, 629),
    fixes=Fixes(
        server=("Allow several sessions for each user, if that is wanted.",),
        client=("Do two devices use the same account and throw each other out in turn?",),
    ),
    explains=frozenset({"server-ended", "admin-disconnect", "user-disconnect"}),
)

WITHIN = 3.0


def recognise_case(case: Case) -> Iterator[tuple[Session | None, Finding]]:
    """An old end close to a new beginning."""
    for old in case.apart:
        if not old.user or old.goodbye is None or old.goodbye[1] or Phase.ADDRESS not in old.phases:
            continue
        for new in case.apart:
            accepted = new.phases.get(Phase.AUTHENTICATION)
            same = new is not old and new.user == old.user and new.server == old.server
            if same and accepted and new.started > old.started and abs(old.goodbye[0].since(accepted)) <= WITHIN:
                why = f"{new.user} was accepted again from {new.client} ({new.id}), and this session ended "
                why += f"{abs(old.goodbye[0].since(accepted)):.1f} s apart from that."
                yield old, ENTRY.found(why, [accepted, old.goodbye[0]], certainty=0.8, towards=Towards.CLIENT)
                break
