"""An address is used twice."""

from collections.abc import Iterator

from holdfast.capture.case import Case
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.moment import Moment
from holdfast.capture.session import Session

ENTRY = Entry(
    id="ipcp-address-conflict",
    title="The tunnel's address is used elsewhere",
    meaning="The address inside the tunnel is the same as another one: of the other end, of the server itself, or of "
    "another session. Packets then go the wrong way.",
    recognised="Client and server get the same address; the inner address is one of the outer ones; or two sessions at "
    "the same time have the same.",
    severity=Severity.FAULT,
    windows_codes=(720, 735),
    fixes=Fixes(
        server=("Use a network for the tunnel that nobody else uses, for example 10.77.0.0/24, and one address each.",),
        client=("Is the home network the same as the office network? Then change one of them.",),
    ),
    references=("RFC 1332 section 3.3",),
)


def recognise_case(case: Case) -> Iterator[tuple[Session | None, Finding]]:
    """Equal addresses in one session or in two at once."""
    seen: dict[tuple[str, str], list[Session]] = {}
    for session in case.apart:
        inner, far = session.link.client_address, session.link.server_address
        opened = session.link.ipcp.opened
        if not inner or opened is None:
            continue
        if inner == far or inner in (session.client, session.server):
            other = "the server's own" if inner == far else "an outer address"
            yield session, ENTRY.found(f"The client gets {inner}, which is {other}.", [opened], certainty=0.95)
        elif far and far == session.server:
            why = (
                f"The server calls itself {far} inside the tunnel, its address outside: packets to it leave the tunnel."
            )
            yield session, ENTRY.found(why, [opened], certainty=0.6, severity=Severity.NOTE)
        earlier = seen.setdefault((session.server, inner), [])
        for other_session in earlier:
            if opened < _end(other_session) and session.client != other_session.client:
                why = f"{inner} was given to {other_session.client} and, before that ended, to {session.client}."
                yield session, ENTRY.found(why, [opened], certainty=0.85)
                break
        earlier.append(session)


def _end(session: Session) -> Moment:
    """Until when the client had its address: a server goes on asking a client that has left."""
    heard = session.last_gre(up=True) or session.ended
    return min(session.goodbye[0], heard) if session.goodbye else heard
