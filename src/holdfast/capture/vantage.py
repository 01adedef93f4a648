"""Two captures of the same sessions, made at both ends: what vanished between them, in which direction.

The clocks need not agree: frames that both captures hold give the offset. A frame is the same when direction,
sequence number and content are; a NAT on the way changes addresses and perhaps Call IDs, never these.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from holdfast._native import GreFrame
from holdfast.capture.case import Case
from holdfast.capture.moment import Moment
from holdfast.capture.session import Session

Key = tuple[int | None, bytes, int]
LIST_MOST = 24


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
    seconds: list[float] = field(default_factory=list)
    """Server's time less client's time for each frame in both."""

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
        }


@dataclass(slots=True)
class Pair:
    """One session at both ends."""

    client: Session
    server: Session
    up: Direction = field(default_factory=lambda: Direction(True))
    down: Direction = field(default_factory=lambda: Direction(False))

    @property
    def offset(self) -> float | None:
        """Seconds by which the server's clock is ahead, if frames went both ways: half the way there and back."""
        if not self.up.seconds or not self.down.seconds:
            return None
        return (min(self.up.seconds) + max(self.down.seconds)) / 2

    @property
    def round_trip(self) -> float | None:
        """The shortest way there and back in seconds, which needs no common clock."""
        if not self.up.seconds or not self.down.seconds:
            return None
        return max(min(self.up.seconds) - max(self.down.seconds), 0.0)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "client_session": self.client.id,
            "server_session": self.server.id,
            "clock_offset": self.offset,
            "round_trip": self.round_trip,
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
            pairs.append(_follow(Pair(session, partner)))
    return pairs


def _likeness(one: Session, other: Session) -> int:
    """How surely two sessions are the same; 0 when nothing says so."""
    score = 0
    if one.call and other.call:
        for mine, theirs in (
            (one.call.client_call_id, other.call.client_call_id),
            (one.call.server_call_id, other.call.server_call_id),
        ):
            score += 3 if mine is not None and mine == theirs else 0
    score += 2 * (one.server == other.server) + (one.client == other.client) if score or one.user == other.user else 0
    common = _keys(one, True) & _keys(other, True) or _keys(one, False) & _keys(other, False)
    return score + 5 * bool(common)


def _keys(session: Session, up: bool) -> set[Key]:
    return {_key(frame) for frame in _frames(session, up)}


def _frames(session: Session, up: bool) -> Iterator[GreFrame]:
    for flow in session.flows(up):
        yield from (frame for frame in (*flow.negotiation, *flow.echoes, *flow.data) if not frame.duplicate)


def _key(frame: GreFrame) -> Key:
    return frame.sequence, frame.ppp, frame.length


def _follow(pair: Pair) -> Pair:
    for direction, sender, receiver in ((pair.up, pair.client, pair.server), (pair.down, pair.server, pair.client)):
        up = direction.to_server
        limit = min(_complete_until(sender, up), _complete_until(receiver, up))
        sent = {_key(frame): frame for frame in _frames(sender, up) if (frame.sequence or 0) <= limit}
        came = {_key(frame): frame for frame in _frames(receiver, up) if (frame.sequence or 0) <= limit}
        direction.sent, direction.arrived = len(sent), len(sent.keys() & came.keys())
        lost = [Moment(*frame.place) for key, frame in sent.items() if key not in came]
        direction.vanished = sorted(lost)
        direction.unseen = len(came.keys() - sent.keys())
        for key in sent.keys() & came.keys():
            there, here = (came[key], sent[key]) if up else (sent[key], came[key])
            direction.seconds.append((there.place[0] - here.place[0]) / 1e9)
    return pair


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
        if direction.sent and not direction.arrived:
            parts.append(f"every one of {direction.sent} GRE frames {name} vanishes on the way: it is blocked there")
        elif direction.vanished:
            lost = len(direction.vanished)
            parts.append(f"{lost} of {direction.sent} GRE frames {name} vanish on the way ({direction.share:.1%})")
    sent = pair.up.sent + pair.down.sent
    if not parts:
        return "every GRE frame arrives" if sent else "no GRE frame is in either capture"
    return "; ".join(parts)
