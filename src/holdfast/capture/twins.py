"""One session captured twice with other addresses: on both sides of a NAT, as on a router's interface `any`.

A NAT changes addresses, ports and Call IDs. It leaves the sequence numbers of TCP alone (RFC 3022 section 4.1) and all
that is inside GRE.
"""

from collections import Counter
from collections.abc import Iterator

from holdfast.capture.session import Session

APART = 1.0
"""Seconds between the two beginnings: a router passes on what came within far less."""
TWINS_MOST = 3
"""So many places with other addresses may one capture show of the way of one session."""
TOLD_BY = 8
"""Frames by which GRE without its handshake is known again."""
TELLING = 16
"""Octets that make a frame unlikely to occur twice."""

Key = tuple[object, ...]


def mark_twins(sessions: list[Session]) -> None:
    """Note at each session that is another one seen again which one that is. `sessions` are in the order of time."""
    known: dict[Key, Session] = {}
    for session in sessions:
        keys = list(_keys(session))
        first = next((known[key] for key in keys if key in known), None)
        if first is not None and _elsewhere(first, session):
            session.twin_of = first
        for key in keys:
            known.setdefault(key, session)
    _forget_crowds(sessions)


def _forget_crowds(sessions: list[Session]) -> None:
    """Take back what would be too many: a traffic generator plays the same session for many clients."""
    crowds = Counter(session.twin_of.id for session in sessions if session.twin_of)
    for session in sessions:
        if session.twin_of and crowds[session.twin_of.id] > TWINS_MOST:
            session.twin_of = None


def _elsewhere(first: Session, session: Session) -> bool:
    """Whether two sessions with something in common that is theirs alone have different addresses at the same time."""
    addresses = {first.client, first.server} != {session.client, session.server}
    return addresses and session.started.since(first.started) <= APART


def _keys(session: Session) -> Iterator[Key]:
    """Yield what no other session has: the numbers of its handshake and its call's place, or some of its frames."""
    conversation = session.conversation
    if conversation is not None and len(conversation.initial) == 2:
        request = session.call.request if session.call else None
        order = conversation.items.index(request) if request else None
        yield conversation.initial[True], conversation.initial[False], order
        return
    for up in (True, False):
        frames = [frame for flow in session.flows(up) for frame in (*flow.data, *flow.negotiation)]
        telling = [frame for frame in frames if len(frame.ppp) >= TELLING and frame.sequence is not None]
        yield from ((frame.sequence, frame.ppp, frame.length) for frame in telling[:TOLD_BY])
