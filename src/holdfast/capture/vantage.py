"""Two captures of the same sessions, made at both ends: what vanished between them, in which direction, and when.

The clocks need not agree: frames that both captures hold give the offset. A frame is the same when direction,
sequence number and content are; a NAT on the way changes addresses and perhaps Call IDs, never these. One capture may
begin later, end earlier or keep fewer octets of each frame: what the other end could not have seen is not counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from holdfast._native import GreFrame
from holdfast.capture.alignment import Clocks, Sighting, align
from holdfast.capture.case import Case
from holdfast.capture.moment import Moment
from holdfast.capture.session import Kind, Session
from holdfast.control.messages import ControlMessage

Key = tuple[int | None, bytes, int]
LIST_MOST = 24
SLACK_NS = 200_000_000
"""What was sent so shortly before the other capture ended may have come after it."""


@dataclass(slots=True)
class Direction:
    """The GRE frames of one direction at both ends."""

    to_server: bool
    sent: int = 0
    """Frames in the capture of the sender, as far as both captures can be compared."""
    arrived: int = 0
    vanished: list[Moment] = field(default_factory=list)
    """Frames of the sender's capture that never came to the other end."""
    unseen: int = 0
    """Frames that arrived and are not in the sender's capture: that capture is not complete."""
    outside: int = 0
    """Frames sent while the other capture did not run: nothing can be said of them."""
    control_lost: int = 0
    """Control messages of the sender's capture that the other lacks."""
    routers: int | None = None
    """How many routers are between the two, by the TTL; None when no frame came."""
    arrivals: list[Moment] = field(default_factory=list)
    """Frames of the sender's capture that came to the other end."""

    @property
    def share(self) -> float:
        """The share that vanished."""
        return len(self.vanished) / self.sent if self.sent else 0.0

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data. Frame numbers are of the sender's capture."""
        return {
            "sent": self.sent,
            "arrived": self.arrived,
            "vanished": len(self.vanished),
            "frames": [moment.frame for moment in self.vanished[:LIST_MOST]],
            "not_in_senders_capture": self.unseen,
            "outside_the_other_capture": self.outside,
            "control_messages_vanished": self.control_lost,
            "routers_between": self.routers,
        }


@dataclass(slots=True)
class Pair:
    """One session at both ends."""

    client: Session
    server: Session
    up: Direction = field(default_factory=lambda: Direction(True))
    down: Direction = field(default_factory=lambda: Direction(False))
    clocks: Clocks | None = None

    @property
    def offset(self) -> float | None:
        """Seconds by which the server's clock is ahead; None when no frame is in both captures."""
        return self.clocks.offset if self.clocks else None

    @property
    def round_trip(self) -> float | None:
        """The shortest way there and back in seconds, which needs no common clock."""
        return self.clocks.round_trip if self.clocks else None

    @property
    def translated(self) -> bool:
        """Whether a NAT in between shows the server another client address."""
        return self.client.client != self.server.client

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "client_session": self.client.id,
            "server_session": self.server.id,
            "clock_offset": self.offset,
            "clock_drift": self.clocks.drift if self.clocks else None,
            "round_trip": self.round_trip,
            "address_translated": self.translated,
            "client_to_server": self.up.as_data(),
            "server_to_client": self.down.as_data(),
            "conclusion": conclusion(self),
        }


def compare(at_client: Case, at_server: Case) -> list[Pair]:
    """Pair the sessions of both captures and follow every frame from one to the other."""
    pairs = []
    free = list(at_server.sessions)
    for session in at_client.sessions:
        partner = max(free, key=lambda other: _likeness(session, other), default=None)
        if partner is not None and _likeness(session, partner) > 0:
            free.remove(partner)
            pairs.append(_same_way_round(session, partner))
    for pair in pairs:
        _follow(pair, at_client, at_server)
    return pairs


def _same_way_round(one: Session, other: Session) -> Pair:
    """Pair two sessions; where one has no control connection, the other's knows better which side is the client."""
    octets = _octets_in_common(one, other)

    def alike(mine: Session, theirs: Session) -> tuple[int, int]:
        common = sum(len(_keys(mine, up, octets) & _keys(theirs, up, octets)) for up in (True, False))
        return int(mine.server == theirs.server) + int(mine.client == theirs.client), common

    straight = Pair(one, other)
    if Kind.GRE not in (one.kind, other.kind):
        return straight
    crossed = Pair(one, other.turned()) if other.kind is Kind.GRE else Pair(one.turned(), other)
    return max(straight, crossed, key=lambda pair: alike(pair.client, pair.server))


def _likeness(one: Session, other: Session) -> int:
    """How surely two sessions are the same; 0 when nothing says so, or something says that they are not."""
    octets = _octets_in_common(one, other)
    common = any(_keys(one, up, octets) & _keys(other, up, octets) for up in (True, False))
    numbers = _common_numbers(one, other)
    if numbers is False and not common:
        return 0  # a firewall may change the numbers of TCP, but then the frames tell
    score = 4 if numbers else 0
    if one.call and other.call:
        for mine, theirs in (
            (one.call.client_call_id, other.call.client_call_id),
            (one.call.server_call_id, other.call.server_call_id),
        ):
            score += 3 if mine is not None and mine == theirs else 0
    score += 2 * (one.server == other.server) + (one.client == other.client) if score or one.user == other.user else 0
    return score + 5 * common


def _common_numbers(one: Session, other: Session) -> bool | None:
    """Whether both saw the same TCP handshake; None when one of them saw none."""
    mine, theirs = (session.conversation.initial if session.conversation else {} for session in (one, other))
    sides = mine.keys() & theirs.keys()
    return all(mine[side] == theirs[side] for side in sides) if sides else None


def _octets_in_common(one: Session, other: Session) -> int:
    """How much of each frame both captures have, where one of them cuts frames short."""
    cut = [len(frame.ppp) for each in (one, other) for up in (True, False) for frame in _frames(each, up) if frame.cut]
    return min(cut, default=1 << 16)


def _keys(session: Session, up: bool, octets: int) -> set[Key]:
    return {_key(frame, octets) for frame in _frames(session, up)}


def _frames(session: Session, up: bool) -> Iterator[GreFrame]:
    for flow in session.flows(up):
        yield from (frame for frame in (*flow.negotiation, *flow.echoes, *flow.data) if not frame.duplicate)


def _key(frame: GreFrame, octets: int) -> Key:
    return frame.sequence, frame.ppp[:octets], frame.length


def _follow(pair: Pair, at_client: Case, at_server: Case) -> None:
    octets = _octets_in_common(pair.client, pair.server)
    seen = {up: _Seen(pair, up, octets) for up in (True, False)}
    pair.clocks = align([*seen[True].sightings(), *seen[False].sightings(), *_handshake(pair)])
    running = {
        True: _running(pair, True, at_server, seen[False]),
        False: _running(pair, False, at_client, seen[True]),
    }
    for direction in (pair.up, pair.down):
        up = direction.to_server
        _count(direction, seen[up], running[up])
        came = (frame for key, frame in seen[up].came.items() if key not in seen[up].sent)
        direction.unseen = sum(running[not up](Moment(*frame.place)) for frame in came)
        _compare_control(pair, direction, running[up])
        direction.routers = _routers(pair, up)


class _Seen:
    """The frames of one direction at both ends, by what makes them the same."""

    def __init__(self, pair: Pair, up: bool, octets: int) -> None:
        sender, receiver = (pair.client, pair.server) if up else (pair.server, pair.client)
        limit = min(_complete_until(sender, up), _complete_until(receiver, up))
        self.up = up
        self.sent = _by_key(sender, up, octets, limit)
        self.came = _by_key(receiver, up, octets, limit)

    def sightings(self) -> Iterator[Sighting]:
        """Yield the frames that both ends have."""
        for key in self.sent.keys() & self.came.keys():
            here, there = self.sent[key].place[0], self.came[key].place[0]
            yield Sighting(here, there, True) if self.up else Sighting(there, here, False)


def _by_key(session: Session, up: bool, octets: int, limit: int) -> dict[Key, GreFrame]:
    frames = (frame for frame in _frames(session, up) if (frame.sequence or 0) <= limit)
    return {_key(frame, octets): frame for frame in frames}


def _handshake(pair: Pair) -> Iterator[Sighting]:
    """What TCP adds: SYN, its answer, and the control messages, each by its place in the order."""
    one, other = pair.client.conversation, pair.server.conversation
    if one is None or other is None or not _common_numbers(pair.client, pair.server):
        return
    if len(one.syns) == 1 and len(other.syns) == 1:
        yield Sighting(one.syns[0].nanoseconds, other.syns[0].nanoseconds, True)
    if one.syn_ack and other.syn_ack and len(one.syns) == 1:
        yield Sighting(one.syn_ack.nanoseconds, other.syn_ack.nanoseconds, False)


def _running(pair: Pair, to_server: bool, there: Case, back: "_Seen") -> Callable[[Moment], bool]:
    """Return a question: was the other capture running when a frame sent at that moment should have come?

    A capture in which nothing comes any more ends just like one that was stopped. It was stopped, or began late, when
    the other end saw frames of this side that it does not have itself.
    """
    clocks = pair.clocks
    if clocks is None:
        return lambda _: True
    translate = clocks.at_server if to_server else clocks.at_client
    slack = SLACK_NS + (clocks.round_trip or 0) * 1e9
    sent_there = [translate(moment.nanoseconds) for moment in _said_by(pair, to_server, back)]
    begin = there.begin if min(sent_there, default=there.begin) < there.begin - slack else float("-inf")
    end = there.end if max(sent_there, default=there.end) > there.end + slack else float("inf")
    return lambda moment: begin <= translate(moment.nanoseconds) <= end - slack


def _said_by(pair: Pair, server: bool, back: "_Seen") -> Iterator[Moment]:
    """Yield when the capture of one end has seen something that the other end (the server, or the client) sent."""
    yield from (Moment(*frame.place) for frame in back.came.values())
    conversation = (pair.client if server else pair.server).conversation
    if conversation is not None:
        yield from (item.moment for item in conversation.items if item.from_client is not server)
        yield from conversation.payload[not server]


def _count(direction: Direction, seen: _Seen, watched: Callable[[Moment], bool]) -> None:
    for key, frame in seen.sent.items():
        moment = Moment(*frame.place)
        if key in seen.came:
            direction.arrivals.append(moment)
        elif watched(moment):
            direction.vanished.append(moment)
        else:
            direction.outside += 1
    direction.vanished.sort()
    direction.arrivals.sort()
    direction.arrived = len(direction.arrivals)
    direction.sent = direction.arrived + len(direction.vanished)


def _compare_control(pair: Pair, direction: Direction, watched: Callable[[Moment], bool]) -> None:
    """Count the control messages that the sender's capture has and the receiver's lacks."""
    sender, receiver = (pair.client, pair.server) if direction.to_server else (pair.server, pair.client)
    if sender.conversation is None or receiver.conversation is None or receiver.conversation.holes:
        return
    came = Counter(_messages(receiver, direction.to_server, lambda _: True))
    sent = Counter(_messages(sender, direction.to_server, watched))
    direction.control_lost = (sent - came).total()


def _messages(session: Session, from_client: bool, wanted: Callable[[Moment], bool]) -> Iterator[type[ControlMessage]]:
    """The kinds of messages: a helper on the way may rewrite what is in them."""
    items = session.conversation.items if session.conversation else ()
    return (type(item.message) for item in items if item.from_client is from_client and wanted(item.moment))


def _routers(pair: Pair, up: bool) -> int | None:
    sender, receiver = (pair.client, pair.server) if up else (pair.server, pair.client)
    sent, came = ([flow.ttl[1] for flow in session.flows(up)] for session in (sender, receiver))
    return max(sent) - max(came) if sent and came and max(sent) >= max(came) else None


def _complete_until(session: Session, up: bool) -> int:
    """The highest sequence number up to which a capture's sample left nothing out."""
    flows = session.flows(up)
    skipped = [flow for flow in flows if flow.data_skipped or flow.negotiation_skipped or flow.echoes_skipped]
    if not skipped:
        return 1 << 32
    kept = [frame.sequence or 0 for flow in skipped for frame in flow.data[: max(len(flow.data) // 2, 1)]]
    return max(kept, default=0)


def conclusion(pair: Pair) -> str:
    """Say in a sentence what the comparison shows."""
    parts = []
    for direction, name in ((pair.up, "from the client to the server"), (pair.down, "from the server to the client")):
        where = _where(direction)
        if direction.sent and not direction.arrived:
            parts.append(f"every one of {direction.sent} GRE frames {name} vanishes {where}: it is blocked there")
        elif direction.vanished:
            lost = len(direction.vanished)
            parts.append(f"{lost} of {direction.sent} GRE frames {name} vanish {where} ({direction.share:.1%})")
        if direction.control_lost:
            parts.append(f"{direction.control_lost} control messages {name} never arrive")
    if parts:
        return "; ".join(parts)
    if pair.up.sent + pair.down.sent:
        return "every GRE frame arrives"
    missing = "the captures have no time in common" if pair.up.outside + pair.down.outside else ""
    return missing or "no GRE frame is in either capture"


def _where(direction: Direction) -> str:
    if not direction.routers:
        return "on the way"
    return f"on the way between the two, {direction.routers} router{'s' if direction.routers > 1 else ''} apart"


def facts(pair: Pair) -> Iterator[str]:
    """Yield what else the comparison tells: clocks, addresses, what could not be compared."""
    clocks = pair.clocks
    if clocks is None:
        yield "No frame is in both captures, so their clocks cannot be compared."
    else:
        apart = f"{abs(clocks.offset):.3f} s {'ahead' if clocks.offset > 0 else 'behind'}"
        way = f"; there and back takes {clocks.round_trip * 1000:.1f} ms" if clocks.round_trip is not None else ""
        yield f"The server's clock is {apart}{way}." if abs(clocks.offset) >= 0.0005 else f"Both clocks agree{way}."
    if clocks and clocks.drift:
        gains = "gains" if clocks.drift > 0 else "loses"
        yield f"The server's clock {gains} {abs(clocks.drift) * 1e6:.0f} microseconds in each second."
    if pair.translated and pair.client.client and pair.server.client:
        yield f"A NAT in between shows the server {pair.server.client} in place of {pair.client.client}."
    for direction, sender, other in ((pair.up, "client", "server"), (pair.down, "server", "client")):
        if direction.outside:
            yield f"{direction.outside} frames of the {sender} lie outside the {other}'s capture and are not counted."
        if direction.unseen:
            yield f"{direction.unseen} frames came to the {other} that the {sender}'s own capture lacks."
