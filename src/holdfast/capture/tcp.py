"""One TCP connection on port 1723 put together again: its handshake, its messages, its end.

Works on what a capture holds: retransmissions, overlaps, holes, a beginning in the middle, copies that the capture
itself made. A message's moment is that of the segment that completes it.
"""

from dataclasses import dataclass, field

from holdfast._native import ControlFlow, Segment
from holdfast.capture.moment import Moment
from holdfast.control.messages import ControlMessage
from holdfast.control.stream import MessageStream, StreamViolation

FIN, SYN, RST, ACK = 1, 2, 4, 16
MODULUS = 1 << 32
COPY_WINDOW = 0.002
"""Seconds within which a segment without an IP identification counts as a copy made by the capture."""
HELD_MOST = 64
SKETCH_OCTETS, COOKIE_END = 64, 8


@dataclass(frozen=True, slots=True)
class ControlItem:
    """One control message as it went by."""

    moment: Moment
    from_client: bool
    message: ControlMessage


@dataclass(frozen=True, slots=True)
class ControlFault:
    """Octets on the control connection that are no control message."""

    moment: Moment
    from_client: bool
    violation: StreamViolation


@dataclass(slots=True)
class Conversation:
    """What happened on one connection. `client` is the side that connects."""

    client: tuple[str, int]
    server: tuple[str, int]
    cookie: bool
    opened: bool
    first: Moment
    last: Moment
    items: list[ControlItem] = field(default_factory=list)
    faults: list[ControlFault] = field(default_factory=list)
    syns: list[Moment] = field(default_factory=list)
    syn_ack: Moment | None = None
    syn_acks_again: list[Moment] = field(default_factory=list)
    """The server's answer to the SYN, sent again."""
    established: Moment | None = None
    payload: dict[bool, list[Moment]] = field(default_factory=lambda: {True: [], False: []})
    """The moments of segments with payload, by whether the client sent them."""
    sketch: dict[bool, bytes] = field(default_factory=lambda: {True: b"", False: b""})
    """The first octets of each direction."""
    beheaded: set[bool] = field(default_factory=set)
    """The sides of whose first segment the snap length left too little to see a magic cookie (RFC 2637 section 2)."""
    cut: bool = False
    """Whether the snap length left out octets of some message."""
    retransmissions: dict[bool, list[Moment]] = field(default_factory=lambda: {True: [], False: []})
    copied: list[Moment] = field(default_factory=list)
    """Segments that the capture shows a second time."""
    damaged: int = 0
    """Segments with a wrong checksum where the others of that direction are right: bit errors on the air."""
    holes: int = 0
    """Stretches of the stream that the capture does not have."""
    swallowed: dict[bool, tuple[int, Moment]] = field(default_factory=dict)
    """By whether the client sent them: octets at the end of what a side sent that neither came by here nor were ever
    acknowledged by the other side, and the segment whose numbers tell of them (RFC 9293 section 3.4)."""
    fins: list[tuple[Moment, bool]] = field(default_factory=list)
    resets: list[tuple[Moment, bool]] = field(default_factory=list)
    mss: dict[bool, int] = field(default_factory=dict)
    initial: dict[bool, int] = field(default_factory=dict)
    """The initial sequence number of each side whose SYN is in the capture, by whether the client sent it."""
    frames: list[Moment] = field(default_factory=list)
    """The first frames of the connection, as evidence."""

    @property
    def round_trip(self) -> float | None:
        """Seconds from the SYN to the ACK of its answer, which is the whole way there and back wherever it is captured.

        None when the capture lacks either, or the SYN had to be repeated.
        """
        if self.established is None or len(self.syns) != 1:
            return None
        return self.established.since(self.syns[0])

    @property
    def ended(self) -> tuple[Moment, bool] | None:
        """The first FIN or RST, and whether the client sent it."""
        ends = sorted(self.fins + self.resets)
        return ends[0] if ends else None


class _Direction:
    """Reassembly of what one side sent."""

    def __init__(self, conversation: Conversation, from_client: bool, initial: int | None) -> None:
        self._conversation = conversation
        self._from_client = from_client
        self._next = None if initial is None else (initial + 1) % MODULUS
        self._stream = MessageStream(passive=True)
        if initial is None:
            self._stream.resynchronise()
        self._held: list[Segment] = []

    def take(self, segment: Segment) -> bool:
        """Take a segment with payload; return whether it brought anything new."""
        if self._next is None:
            self._next = segment.sequence
        ahead = _distance(segment.sequence, self._next)
        if ahead > 0:
            self._hold(segment)
            return True
        fresh = segment.length + ahead
        if fresh <= 0:
            return False
        self._deliver(segment, -ahead)
        self._drain()
        return True

    def acknowledged(self, number: int) -> None:
        """The other side has everything below `number`: what is missing before it is missing in the capture."""
        if self._held and self._next is not None and _distance(number, self._held[0].sequence) > 0:
            self.skip_hole()

    def skip_hole(self) -> None:
        """Give up on what is missing before the first held segment."""
        if not self._held:
            return
        self._conversation.holes += 1
        self._stream.resynchronise()
        self._next = self._held[0].sequence
        self._drain()

    def finish(self) -> None:
        """The capture is over."""
        while self._held:
            self.skip_hole()

    def swallowed(self, segments: list[Segment]) -> tuple[int, Moment] | None:
        """Return how many octets this side's numbers tell of that are in nobody's hands, and the segment that tells."""
        if self._next is None:
            return None
        known = [self._next, *(each.acknowledgement for each in segments if self._acknowledges(each))]
        reached = max(_distance(number, self._next) for number in known)
        mine = [each for each in segments if each.from_client == self._from_client and not each.flags & (SYN | RST)]
        closed = False
        for each in mine:
            ahead = _distance(each.sequence, self._next) - closed
            if ahead > reached:
                return ahead, Moment(*each.place)
            closed = closed or bool(each.flags & FIN)
        return None

    def _acknowledges(self, segment: Segment) -> bool:
        return segment.from_client != self._from_client and bool(segment.flags & ACK)

    def _hold(self, segment: Segment) -> None:
        if all(held.sequence != segment.sequence for held in self._held):
            self._held.append(segment)
            base = self._next or 0
            self._held.sort(key=lambda held: _distance(held.sequence, base))
        if len(self._held) > HELD_MOST:
            self.skip_hole()

    def _drain(self) -> None:
        while self._held and _distance(self._held[0].sequence, self._next or 0) <= 0:
            segment = self._held.pop(0)
            behind = -_distance(segment.sequence, self._next or 0)
            if segment.length > behind:
                self._deliver(segment, behind)

    def _deliver(self, segment: Segment, known: int) -> None:
        """Feed what lies behind the `known` octets that were delivered before."""
        self._next = (segment.sequence + segment.length) % MODULUS
        data = segment.payload[known:]
        sketch = self._conversation.sketch
        if not sketch[self._from_client] and len(segment.payload) < min(segment.length, COOKIE_END):
            self._conversation.beheaded.add(self._from_client)
        if len(sketch[self._from_client]) < SKETCH_OCTETS:
            sketch[self._from_client] = (sketch[self._from_client] + data)[:SKETCH_OCTETS]
        moment = Moment(*segment.place)
        for item in self._stream.feed(data):
            self._note(item, moment)
        if len(segment.payload) < segment.length:
            self._conversation.cut = True
            self._conversation.holes += 1
            self._stream.resynchronise()

    def _note(self, item: ControlMessage | StreamViolation, moment: Moment) -> None:
        if isinstance(item, StreamViolation):
            self._conversation.faults.append(ControlFault(moment, self._from_client, item))
        else:
            self._conversation.items.append(ControlItem(moment, self._from_client, item))


def reassemble(flow: ControlFlow) -> Conversation:
    """Put a connection together."""
    moments = [Moment(*segment.place) for segment in flow.segments]
    conversation = Conversation(
        flow.client, flow.server, flow.cookie, flow.opened, min(moments), max(moments), frames=moments[:16]
    )
    segments = _without_copies(flow.segments, conversation)
    conversation.initial = {side: number for side in (True, False) if (number := _initial(segments, side)) is not None}
    directions = {side: _Direction(conversation, side, conversation.initial.get(side)) for side in (True, False)}
    for segment in segments:
        _note_flags(conversation, segment)
        directions[not segment.from_client].acknowledged(segment.acknowledgement)
        if segment.length:
            _take_payload(conversation, directions[segment.from_client], segment)
    for direction in directions.values():
        direction.finish()
    for side, direction in directions.items():
        if lost := direction.swallowed(segments):
            conversation.swallowed[side] = lost
    conversation.items.sort(key=lambda item: item.moment)
    return conversation


def _take_payload(conversation: Conversation, direction: _Direction, segment: Segment) -> None:
    moment = Moment(*segment.place)
    if direction.take(segment):
        conversation.payload[segment.from_client].append(moment)
    elif segment.length > 1:  # one octet again and again is a TCP keep-alive
        conversation.retransmissions[segment.from_client].append(moment)


def _note_flags(conversation: Conversation, segment: Segment) -> None:
    moment, from_client, flags = Moment(*segment.place), segment.from_client, segment.flags
    if flags & SYN and segment.mss:
        conversation.mss.setdefault(from_client, segment.mss)
    if flags & (SYN | ACK) == SYN:
        conversation.syns.append(moment)
    elif flags & (SYN | ACK) == SYN | ACK:
        if conversation.syn_ack:
            conversation.syn_acks_again.append(moment)
        conversation.syn_ack = conversation.syn_ack or moment
    elif flags & ACK and from_client and conversation.syn_ack and not flags & RST:
        conversation.established = conversation.established or moment
    if flags & FIN:
        conversation.fins.append((moment, from_client))
    if flags & RST:
        conversation.resets.append((moment, from_client))


def _without_copies(segments: tuple[Segment, ...], conversation: Conversation) -> list[Segment]:
    sound = {segment.from_client for segment in segments if segment.sound and segment.length}
    kept: list[Segment] = []
    recent: dict[tuple[object, ...], Segment] = {}
    for segment in segments:
        if segment.sound is False and segment.from_client in sound:
            conversation.damaged += 1
            continue
        key = (segment.from_client, segment.sequence, segment.acknowledgement, segment.flags, segment.length)
        if _is_copy(segment, recent.get(key)):
            conversation.copied.append(Moment(*segment.place))
            continue
        recent[key] = segment
        kept.append(segment)
    return kept


def _is_copy(segment: Segment, earlier: Segment | None) -> bool:
    if earlier is None or earlier.identification != segment.identification:
        return False
    apart = abs(segment.place[0] - earlier.place[0]) / 1e9
    return apart <= COPY_WINDOW or (segment.identification != 0 and apart < 1.0)


def _initial(segments: list[Segment], from_client: bool) -> int | None:
    for segment in segments:
        if segment.flags & SYN and segment.from_client == from_client:
            return segment.sequence
    return None


def _distance(number: int, base: int) -> int:
    """Return how far `number` lies ahead of `base`, negative when behind (RFC 9293 section 3.4 arithmetic)."""
    ahead = (number - base) % MODULUS
    return ahead - MODULUS if ahead >= MODULUS // 2 else ahead
