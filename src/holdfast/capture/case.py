"""From the index of a capture to its sessions: who talked to whom, and which GRE belongs to which call."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

from holdfast._native import CaptureCounts, CaptureFile, CaptureIndex, FragmentCount, GreFlow, IcmpNotice
from holdfast.capture import ppp_trace
from holdfast.capture.calls import CALLS_MOST, Call, calls_of, requests_of
from holdfast.capture.link import Link
from holdfast.capture.moment import Moment
from holdfast.capture.radius_trace import RadiusExchange, exchanges_of
from holdfast.capture.roles import server_side
from holdfast.capture.session import Kind, Session
from holdfast.capture.tcp import Conversation, reassemble
from holdfast.capture.twins import mark_twins

SESSIONS_MOST = 5000
"""Connections and GRE flows looked at in depth; the rest is counted."""
EARLY = 1.0
"""Seconds by which GRE may come before the message that announces its call, as captures mix their sources."""
WIRELESS_LINKS = frozenset({105, 127})
TCP, GRE = 6, 47


@dataclass
class Case:
    """Everything that some captures say about PPTP."""

    files: tuple[CaptureFile, ...]
    counts: CaptureCounts
    stopped: bool = False
    sessions: list[Session] = field(default_factory=list)
    radius: list[RadiusExchange] = field(default_factory=list)
    icmp: tuple[IcmpNotice, ...] = ()
    omitted: int = 0
    """Connections, calls and GRE flows that were only counted."""

    @cached_property
    def begin(self) -> int:
        """The earliest frame, in nanoseconds since the epoch."""
        return self.counts.span_ns[0] if self.counts.span_ns else 0

    @cached_property
    def end(self) -> int:
        """The latest frame, in nanoseconds since the epoch."""
        return self.counts.span_ns[1] if self.counts.span_ns else 0

    @property
    def apart(self) -> list[Session]:
        """The sessions without those that are another one on the other side of a NAT."""
        return [session for session in self.sessions if session.twin_of is None]

    @property
    def orderly(self) -> bool:
        """Whether the capture is one stretch of time, so that its end says when watching stopped."""
        return self.counts.out_of_order * 20 <= self.counts.frames

    @property
    def only_control(self) -> bool:
        """Whether the capture holds nothing beside TCP port 1723, as a filter on that port leaves it."""
        return self.counts.frames <= self.counts.control


def build(index: CaptureIndex) -> Case:
    """Turn an index into sessions."""
    counts = index.counts
    flows = list(index.gre(SESSIONS_MOST))
    conversations = [reassemble(flow) for flow in index.control(SESSIONS_MOST) if flow.segments]
    omitted = max(index.control_count - SESSIONS_MOST, 0) + max(index.gre_count - SESSIONS_MOST, 0)
    omitted += sum(max(requests_of(conversation) - CALLS_MOST, 0) for conversation in conversations)
    case = Case(index.files, counts, index.stopped, radius=exchanges_of(index.radius()), omitted=omitted)
    case.icmp = index.icmp()
    sessions = _with_control(conversations)
    rest = _share_out(flows, sessions)
    sessions += _without_control(rest)
    sessions += _on_the_link(index)
    wireless = any(WIRELESS_LINKS & set(file.link_types) for file in index.files)
    for session in sessions:
        session.wireless = wireless
        _complete(session, case.icmp, index.fragments())
    sessions.sort(key=lambda session: session.started)
    for number, session in enumerate(sessions, 1):
        session.id = f"s{number}"
    mark_twins(sessions)
    case.sessions = sessions
    return case


def _with_control(conversations: list[Conversation]) -> list[Session]:
    sessions = []
    for conversation in conversations:
        calls: list[Call | None] = list(calls_of(conversation))
        for call in calls or [None]:
            session = Session("", Kind.PPTP, conversation.client[0], conversation.server[0], conversation, call)
            session.siblings = max(len(calls) - 1, 0)
            sessions.append(session)
    return sessions


def _share_out(flows: list[GreFlow], sessions: list[Session]) -> list[GreFlow]:
    """Give every GRE flow to the call it belongs to; return the flows of no call."""
    called = defaultdict(list)
    between = defaultdict(list)
    at_end = defaultdict(list)
    for session in sessions:
        between[frozenset((session.client, session.server))].append(session)
        if session.call and session.call.server_call_id is not None:
            called[session.client, session.server, session.call.server_call_id].append((session, True))
            at_end[session.server, session.call.server_call_id].append(session)
        if session.call and session.call.client_call_id is not None:
            called[session.server, session.client, session.call.client_call_id].append((session, False))
            at_end[session.client, session.call.client_call_id].append(session)
    ways = Counter((flow.source, flow.destination) for flow in flows)
    rest = []
    for flow in flows:
        known = called.get((flow.source, flow.destination, flow.call_id), [])
        if known:
            session, up = _at_the_time(known, Moment(*flow.first))
            session.flows(up).append(flow)
        elif ways[flow.source, flow.destination] == 1 and (begun := _under_way(flow, between)) is not None:
            begun.flows(flow.source == begun.client).append(flow)
        elif not _stray(flow, at_end.get((flow.destination, flow.call_id), []), between):
            rest.append(flow)
    return rest


def _under_way(flow: GreFlow, between: dict[frozenset[str], list[Session]]) -> Session | None:
    """The only session of two addresses, when its Call IDs are unknown: the capture began later, or cuts them off."""
    near = between.get(frozenset((flow.source, flow.destination)), [])
    conversation = near[0].conversation if len(near) == 1 and near[0].call is None else None
    unseen = conversation and (conversation.cut or (conversation.cookie and not conversation.syns))
    return near[0] if unseen else None


def _at_the_time(known: list[tuple[Session, bool]], moment: Moment) -> tuple[Session, bool]:
    """Of calls with the same ID one after the other, the last that had begun."""
    begun = [(session, up) for session, up in known if moment.since(session.started) > -EARLY]
    return max(begun, key=lambda each: each[0].started) if begun else known[0]


def _stray(flow: GreFlow, same_call: list[Session], between: dict[frozenset[str], list[Session]]) -> bool:
    """GRE with the right addresses and a wrong Call ID, or the right Call ID and a wrong address, belongs to a call."""
    near = between.get(frozenset((flow.source, flow.destination)), [])
    alone = near[0] if len(near) == 1 else None
    if alone is not None and alone.call is not None and _since_the_call(flow, alone.call):
        up = flow.source == alone.client
        unknown = (alone.call.server_call_id if up else alone.call.client_call_id) is None
        (alone.flows(up) if unknown else alone.strays).append(flow)
        return True
    for session in same_call:
        if _together(flow, session):
            session.strays.append(flow)
            return True
    return False


def _since_the_call(flow: GreFlow, call: Call) -> bool:
    """GRE that was there before belongs to an earlier session, of which the capture shows no more."""
    return call.begin is None or Moment(*flow.first).since(call.begin) > -EARLY


def _together(flow: GreFlow, session: Session) -> bool:
    first, last = Moment(*flow.first), Moment(*flow.last)
    return last.since(session.started) > -EARLY and session.ended.since(first) > -EARLY


def _without_control(flows: list[GreFlow]) -> list[Session]:
    """Pair the two directions of GRE whose control connection is not in the capture."""
    waiting: dict[tuple[str, str], list[GreFlow]] = defaultdict(list)
    sessions = []
    for flow in sorted(flows, key=lambda flow: flow.first):
        others = waiting[flow.destination, flow.source]
        partner = others.pop(0) if others else None
        if partner is None:
            waiting[flow.source, flow.destination].append(flow)
        else:
            sessions.append(_paired(partner, [flow]))
    alone = [flow for kept in waiting.values() for flow in kept]
    return sessions + [_paired(flow, []) for flow in alone]


def _paired(flow: GreFlow, back: list[GreFlow]) -> Session:
    session = Session("", Kind.GRE, flow.source, flow.destination, up=[flow], down=back)
    items = _items(session)
    server_sends_up = server_side(items)
    if server_sends_up is None:
        server_sends_up = not _private(flow.source) and _private(flow.destination)
    if server_sends_up:
        session = Session("", Kind.GRE, flow.destination, flow.source, up=back, down=[flow])
    return session


def _private(address: str) -> bool:
    return ip_address(address).is_private


def _on_the_link(index: CaptureIndex) -> list[Session]:
    """PPP that was captured without any tunnel, as Windows shows its WAN Miniport."""
    items: list[ppp_trace.PppItem] = []
    faults: list[ppp_trace.PppFault] = []
    for flow in index.link_ppp():
        more, wrong = ppp_trace.decode(flow.frames, from_client=flow.outbound)
        items += more
        faults += wrong
    if not items:
        return []
    if server_side(items):
        items = [ppp_trace.PppItem(item.moment, not item.from_client, item.protocol, item.packet) for item in items]
    return [Session("", Kind.PPP, "", "", link=Link(items, faults))]


def _items(session: Session) -> list[ppp_trace.PppItem]:
    items, _ = _decoded(session)
    return items


def _decoded(session: Session) -> tuple[list[ppp_trace.PppItem], list[ppp_trace.PppFault]]:
    items: list[ppp_trace.PppItem] = []
    faults: list[ppp_trace.PppFault] = []
    for up in (True, False):
        for flow in session.flows(up):
            more, wrong = ppp_trace.decode(flow.negotiation + flow.echoes, from_client=up)
            items += more
            faults += wrong
    return items, faults


def _complete(session: Session, icmp: tuple[IcmpNotice, ...], fragments: tuple[FragmentCount, ...]) -> None:
    if session.kind is not Kind.PPP:
        session.link = Link(*_decoded(session))
    ends = {session.client, session.server}
    session.icmp = [notice for notice in icmp if {notice.quoted_source, notice.quoted_destination} == ends]
    session.fragments = [count for count in fragments if {count.source, count.destination} == ends]
