"""A session together with the capture it is in: the questions that findings ask."""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address

from holdfast._native import IcmpNotice
from holdfast.capture.calls import Call, first_of
from holdfast.capture.case import GRE, TCP, Case
from holdfast.capture.link import Ending, Link
from holdfast.capture.moment import Moment
from holdfast.capture.negotiation import Asking
from holdfast.capture.ppp_trace import PppItem
from holdfast.capture.session import Kind, Phase, Session
from holdfast.capture.tcp import ControlItem, Conversation
from holdfast.control.messages import EchoRequest, SetLinkInfo, StartControlConnectionReply
from holdfast.wire.hidden import is_hidden

ECHO_REQUEST, ECHOES = 9, 3
"""LCP's code (RFC 1661 section 5.8), and how many without an answer are enough when the asker then gives up."""
LINK_CLOSED = 0xFFFFFFFF
"""What Windows sends as both maps when LCP closes; when it opens, the first is 0."""


@dataclass
class View:
    """One session in its case."""

    session: Session
    case: Case

    @property
    def link(self) -> Link:
        """The PPP link."""
        return self.session.link

    @property
    def call(self) -> Call | None:
        """The call, if its control connection was captured."""
        return self.session.call

    @property
    def conversation(self) -> Conversation | None:
        """The control connection."""
        return self.session.conversation

    def reached(self, phase: Phase) -> bool:
        """Whether the session got that far."""
        return phase in self.session.phases

    @property
    def up(self) -> bool:
        """Whether the session came to carry user data: addresses were agreed, or data went both ways."""
        return self.reached(Phase.ADDRESS) or self.reached(Phase.TRAFFIC)

    @property
    def started_in_capture(self) -> bool:
        """Whether the capture shows the beginning."""
        if self.session.kind is Kind.PPTP:
            return bool(self.conversation and (self.conversation.syns or first_of(self.conversation, _REPLY)))
        return bool(self.link.lcp.client.exchanges or self.link.lcp.server.exchanges)

    @property
    def half(self) -> bool:
        """Whether the capture seems to hold one direction only, so that a missing answer says nothing."""
        conversation, session = self.conversation, self.session
        if session.kind is Kind.GRE:
            return bool(session.up) != bool(session.down)
        if conversation is None or not conversation.cookie:
            return False
        from_client = bool(conversation.syns or conversation.payload[True])
        from_server = bool(conversation.syn_ack or conversation.payload[False])
        acted = any(fin for fin, _ in conversation.fins) or len(conversation.items) > 1
        return from_client != from_server and acted

    @property
    def over(self) -> bool:
        """Whether someone ended the session within the capture."""
        return self.session.goodbye is not None

    def watched_after(self, moment: Moment) -> float:
        """Return for how many seconds after `moment` this session could have shown something."""
        if self.session.goodbye is not None and self.session.goodbye[0] > moment:
            return self.session.goodbye[0].since(moment)
        end = self.case.end if self.case.orderly else self.session.ended.nanoseconds
        return max(0.0, (end - moment.nanoseconds) / 1e9)

    def gave_up(self, client: bool, last: Moment) -> bool:
        """Whether a side ended the session after three LCP echoes since `last` (or more) that nobody answered."""
        others = self.link.lcp.others
        echoes = [item.moment for item in others if item.from_client == client and item.packet.code == ECHO_REQUEST]
        echoes = [moment for moment in echoes if moment > last]
        ends = [ending.moment for ending in self.link.endings if ending.from_client == client]
        return len(echoes) >= ECHOES and any(end > echoes[ECHOES - 1] for end in ends)

    def lived_after(self, moment: Moment) -> float:
        """Return how many seconds passed between `moment` and the goodbye, or the last that was seen."""
        end = self.session.goodbye[0] if self.session.goodbye else self.session.ended
        return max(0.0, end.since(moment))

    @cached_property
    def granted(self) -> Moment | None:
        """When the call was granted."""
        return self.session.phases.get(Phase.CALL)

    def icmp_about(self, protocol: int) -> list[IcmpNotice]:
        """Return the ICMP errors about this session's TCP (6) or GRE (47)."""
        return [notice for notice in self.session.icmp if notice.quoted_protocol == protocol]

    @property
    def icmp_tcp(self) -> list[IcmpNotice]:
        """ICMP errors about the control connection."""
        return self.icmp_about(TCP)

    @property
    def icmp_gre(self) -> list[IcmpNotice]:
        """ICMP errors about GRE."""
        return self.icmp_about(GRE)

    @cached_property
    def link_infos(self) -> list[tuple[ControlItem, SetLinkInfo]]:
        """The Set-Link-Info messages of the call."""
        items = self.call.link_infos if self.call else []
        return [(item, item.message) for item in items if isinstance(item.message, SetLinkInfo)]

    @property
    def lcp_opened_by_word(self) -> Moment | None:
        """When a Windows side said by Set-Link-Info that LCP opened; proof that GRE worked although it is not seen."""
        return next((item.moment for item, message in self.link_infos if _map(message) == (0, LINK_CLOSED)), None)

    @property
    def lcp_closed_by_word(self) -> Moment | None:
        """When a Windows side said that LCP closed again."""
        opened = self.lcp_opened_by_word
        closed = (item.moment for item, message in self.link_infos if _map(message) == (LINK_CLOSED, LINK_CLOSED))
        return next((moment for moment in closed if opened and moment > opened), None)

    @cached_property
    def ending_texts(self) -> list[tuple[Ending, str]]:
        """The Terminate-Requests with their text in lower case."""
        return [(ending, ending.cause.text.lower()) for ending in self.link.endings]

    def ending_with(self, *phrases: str) -> Ending | None:
        """Return the first Terminate-Request that says one of these, in lower case."""
        found = (ending for ending, text in self.ending_texts if any(phrase in text for phrase in phrases))
        return next(found, None)

    def ending_code(self, *codes: int) -> Ending | None:
        """Return the first Terminate-Request with one of these Windows errors."""
        return next((ending for ending in self.link.endings if ending.cause.ras_error in codes), None)

    @property
    def echo_requests(self) -> list[ControlItem]:
        """Echo-Requests on the control connection."""
        items = self.conversation.items if self.conversation else []
        return [item for item in items if isinstance(item.message, EchoRequest)]

    @property
    def behind_nat(self) -> bool:
        """Whether the client has a private address and the server has not: a NAT lies between them."""
        return hidden(self.session.client) and bool(self.session.server) and not hidden(self.session.server)


_REPLY = StartControlConnectionReply


def hidden(text: str) -> bool:
    """Whether an address is one that only a NAT can bring to the Internet; False for what is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return is_hidden(address)


def _map(message: SetLinkInfo) -> tuple[int, int]:
    return message.send_accm, message.receive_accm


def side(client: bool) -> str:
    """Return the name of a side for a sentence."""
    return "the client" if client else "the server"


def moments(items: list[PppItem]) -> list[Moment]:
    """Return when packets went by."""
    return [item.moment for item in items]


def repeated(asking: Asking) -> list[PppItem]:
    """Return the trailing Configure-Requests of one side that nobody answered."""
    found: list[PppItem] = []
    for exchange in reversed(asking.exchanges):
        if exchange.answer is not None:
            break
        found.append(exchange.request)
    return found[::-1]
