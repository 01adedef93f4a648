"""One PPTP session as a capture shows it: control connection, call, GRE both ways, PPP."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from holdfast._native import FragmentCount, GreFlow, IcmpNotice
from holdfast.capture.calls import Call, first_of
from holdfast.capture.link import Ending, Link
from holdfast.capture.moment import Moment
from holdfast.capture.tcp import ControlItem, Conversation
from holdfast.control.messages import (
    StartControlConnectionReply,
    StartControlConnectionRequest,
    StopControlConnectionRequest,
)

if TYPE_CHECKING:
    from holdfast.capture.inside import Inside

ESTABLISHED = 1
"""Result Code of a granted Start-Control-Connection-Request (RFC 2637 section 2.2)."""


class Kind(StrEnum):
    """What of a session is in the capture."""

    PPTP = "pptp"
    """The control connection, with GRE or without."""
    GRE = "gre"
    """GRE without its control connection."""
    PPP = "ppp"
    """PPP captured on the link itself; there may have been no PPTP at all."""


class Phase(StrEnum):
    """How far a session got, in this order."""

    TCP = "tcp"
    CONTROL = "control"
    CALL = "call"
    GRE = "gre"
    LCP = "lcp"
    AUTHENTICATION = "authentication"
    ENCRYPTION = "encryption"
    ADDRESS = "address"
    TRAFFIC = "traffic"
    GOODBYE = "goodbye"


@dataclass
class Session:
    """Everything that was seen of one session. `up` is GRE from the client to the server, `down` the other way."""

    id: str
    kind: Kind
    client: str
    server: str
    conversation: Conversation | None = None
    call: Call | None = None
    up: list[GreFlow] = field(default_factory=list)
    down: list[GreFlow] = field(default_factory=list)
    strays: list[GreFlow] = field(default_factory=list)
    """GRE between the same addresses, or to the same call, that fits no announced Call ID or address."""
    link: Link = field(default_factory=lambda: Link([]))
    icmp: list[IcmpNotice] = field(default_factory=list)
    fragments: list[FragmentCount] = field(default_factory=list)
    wireless: bool = False
    inside: "Inside | None" = None
    """What the user's own password opened, when it was given."""
    siblings: int = 0
    """Other calls on the same control connection."""
    twin_of: "Session | None" = None
    """The session that this one is seen again, with other addresses: on the other side of a NAT."""

    def flows(self, up: bool) -> list[GreFlow]:
        """Return the GRE of one direction."""
        return self.up if up else self.down

    def turned(self) -> "Session":
        """Return the GRE of this session with client and server exchanged."""
        return Session(self.id, self.kind, self.server, self.client, up=self.down, down=self.up, link=self.link)

    @cached_property
    def started(self) -> Moment:
        """The first that was seen."""
        return min(self._moments())

    @cached_property
    def ended(self) -> Moment:
        """The last that was seen."""
        return max(self._moments())

    @property
    def user(self) -> str:
        """The name that the client gave; empty when none was seen."""
        return self.link.authentication.user

    def _moments(self) -> list[Moment]:
        moments = [Moment(*place) for flow in self.up + self.down for place in (flow.first, flow.last)]
        moments += [item.moment for item in (self.link.items[:1] + self.link.items[-1:])]
        if self.conversation and not (self.siblings and self.call):
            moments += [self.conversation.first, self.conversation.last]
        elif self.call:
            moments += [item.moment for item in (self.call.request, self.call.reply, self.call.cleared) if item]
        return moments or [Moment(0, 0, 0)]

    @cached_property
    def phases(self) -> dict[Phase, Moment]:
        """When each phase was reached; what was not seen is missing."""
        reached = {
            Phase.TCP: self._tcp(),
            Phase.CONTROL: self._control(),
            Phase.CALL: self.call.reply.moment if self.call and self.call.reply and self.call.granted else None,
            Phase.GRE: self._both_ways(),
            Phase.LCP: self.link.lcp.opened,
            Phase.AUTHENTICATION: self.link.authentication.succeeded,
            Phase.ENCRYPTION: self.link.mppe.opened if self.link.mppe else None,
            Phase.ADDRESS: min(filter(None, (self.link.ipcp.opened, self.link.ipv6cp.opened)), default=None),
            Phase.TRAFFIC: self._traffic(),
            Phase.GOODBYE: self.goodbye[0] if self.goodbye else None,
        }
        return {phase: moment for phase, moment in reached.items() if moment is not None}

    @cached_property
    def phase(self) -> Phase | None:
        """The last phase reached; a goodbye counts only when there was something to end."""
        order = [phase for phase in Phase if phase in self.phases]
        if order and order[-1] is Phase.GOODBYE and not {Phase.ADDRESS, Phase.TRAFFIC} & set(order):
            order.pop()
        return order[-1] if order else None

    def _tcp(self) -> Moment | None:
        if self.conversation is None:
            return None
        if self.conversation.established or self.conversation.syn_ack:
            return self.conversation.established or self.conversation.syn_ack
        asked = first_of(self.conversation, StartControlConnectionRequest)
        return asked[0].moment if asked else None

    def _control(self) -> Moment | None:
        found = first_of(self.conversation, StartControlConnectionReply)
        if found:
            return found[0].moment if found[1].result_code == ESTABLISHED else None
        if self.call and self.call.begin:
            return self.call.begin
        return None

    def _both_ways(self) -> Moment | None:
        if not self.up or not self.down:
            return None
        return max(min(Moment(*flow.first) for flow in flows) for flows in (self.up, self.down))

    def _traffic(self) -> Moment | None:
        firsts = [self.first_data(up) for up in (True, False)]
        return max(moment for moment in firsts if moment) if all(firsts) else None

    def first_data(self, up: bool) -> Moment | None:
        """Return when user data first went in a direction."""
        found = (next((frame for frame in flow.data if not frame.unnumbered), None) for flow in self.flows(up))
        return min((Moment(*frame.place) for frame in found if frame), default=None)

    def data_packets(self, up: bool) -> int:
        """Return how many packets of user data went in a direction, copies left out."""
        return sum(flow.encrypted + flow.clear + flow.other - flow.repeated_data for flow in self.flows(up))

    def gre_packets(self, up: bool) -> int:
        """Return how many GRE packets went in a direction."""
        return sum(flow.packets for flow in self.flows(up))

    def last_gre(self, up: bool) -> Moment | None:
        """Return when the last GRE packet went in a direction."""
        return max((Moment(*flow.last) for flow in self.flows(up)), default=None)

    @cached_property
    def goodbye(self) -> tuple[Moment, bool] | None:
        """The first polite or impolite end of the session, and whether the client began it."""
        ends: list[tuple[Moment, bool]] = [(ending.moment, ending.from_client) for ending in self._final_endings()]
        if self.call:
            ends += [(item.moment, item.from_client) for item in self.call.clears]
        if self.conversation:
            ends += [(item.moment, item.from_client) for item in self.stops]
            ends += [self.conversation.ended] if self.conversation.ended else []
        return min(ends) if ends else None

    def _final_endings(self) -> list[Ending]:
        """Terminate-Requests of LCP after which nothing was negotiated anew."""
        again = [item.moment for item in self.link.lcp.client.requests + self.link.lcp.server.requests]
        last = max(again, default=None)
        endings = (ending for ending in self.link.endings if ending.protocol == self.link.lcp.protocol)
        return [ending for ending in endings if last is None or ending.moment > last]

    @property
    def stops(self) -> list[ControlItem]:
        """The Stop-Control-Connection-Requests."""
        items = self.conversation.items if self.conversation else []
        return [item for item in items if isinstance(item.message, StopControlConnectionRequest)]

    @property
    def frames(self) -> list[Moment]:
        """Some frames of the session, the first ones."""
        found = list(self.conversation.frames) if self.conversation else []
        found += [item.moment for item in self.link.items[:8]]
        found += [Moment(*flow.first) for flow in self.up + self.down]
        return sorted(set(found))
