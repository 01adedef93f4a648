"""The calls on a control connection, as the messages show them."""

from dataclasses import dataclass, field
from typing import TypeVar

from holdfast.capture.moment import Moment
from holdfast.capture.tcp import ControlItem, Conversation
from holdfast.control.messages import (
    CallClearRequest,
    CallDisconnectNotify,
    IncomingCallConnected,
    IncomingCallReply,
    IncomingCallRequest,
    OutgoingCallReply,
    OutgoingCallRequest,
    SetLinkInfo,
)

M = TypeVar("M")

CALLS_MOST = 500
"""Calls of one connection that are looked at; a client has one, a concentrator some hundreds."""
DISORDER = 1.0
"""Seconds by which a capture of several sources may show an answer before its request."""
CONNECTED = 1
"""Result Code of a call that was granted (RFC 2637 sections 2.8 and 2.10)."""


@dataclass(slots=True)
class Call:
    """One call. The client is the PNS of outgoing calls and the PAC of incoming ones."""

    client_call_id: int | None = None
    """What the server writes into GRE towards the client."""
    server_call_id: int | None = None
    """What the client writes into GRE towards the server."""
    request: ControlItem | None = None
    reply: ControlItem | None = None
    clears: list[ControlItem] = field(default_factory=list)
    """Call-Clear-Requests and Call-Disconnect-Notifies."""
    link_infos: list[ControlItem] = field(default_factory=list)

    @property
    def granted(self) -> bool:
        """Whether the reply says that the call is connected."""
        message = self.reply.message if self.reply else None
        return isinstance(message, OutgoingCallReply | IncomingCallReply) and message.result_code == CONNECTED

    @property
    def begin(self) -> Moment | None:
        """The first that was seen of the call."""
        first = self.request or self.reply
        return first.moment if first else None

    @property
    def cleared(self) -> ControlItem | None:
        """The first message that ended it."""
        return self.clears[0] if self.clears else None


def calls_of(conversation: Conversation) -> list[Call]:
    """Return the calls in the order in which they began, at most `CALLS_MOST`."""
    calls: list[Call] = []
    for item in conversation.items:
        _take(calls, item)
        del calls[CALLS_MOST:]
    return calls


def requests_of(conversation: Conversation) -> int:
    """Return how many calls were asked for."""
    return sum(isinstance(item.message, OutgoingCallRequest | IncomingCallRequest) for item in conversation.items)


def _take(calls: list[Call], item: ControlItem) -> None:
    message = item.message
    if isinstance(message, OutgoingCallRequest):
        if (early := _answered_before(calls, item, message.call_id)) is not None:
            early.request = item
        else:
            calls.append(Call(client_call_id=message.call_id, request=item))
    elif isinstance(message, IncomingCallRequest):
        calls.append(_call(item.from_client, message.call_id, item))
    elif isinstance(message, OutgoingCallReply | IncomingCallReply):
        _reply(calls, item, message)
    elif isinstance(message, CallClearRequest | CallDisconnectNotify):
        call = _named(calls, item, message.call_id)
        if call:
            call.clears.append(item)
    elif isinstance(message, SetLinkInfo | IncomingCallConnected):
        call = _named(calls, item, message.peer_call_id)
        if call and isinstance(message, SetLinkInfo):
            call.link_infos.append(item)


def _answered_before(calls: list[Call], item: ControlItem, call_id: int) -> Call | None:
    """The call whose answer the capture shows a moment before this request."""
    for call in calls:
        waits = call.request is None and call.reply is not None and call.reply.from_client != item.from_client
        if waits and call.client_call_id == call_id and call.reply and item.moment.since(call.reply.moment) <= DISORDER:
            return call
    return None


def _call(of_client: bool, call_id: int, request: ControlItem | None = None) -> Call:
    if of_client:
        return Call(client_call_id=call_id, request=request)
    return Call(server_call_id=call_id, request=request)


def _reply(calls: list[Call], item: ControlItem, message: OutgoingCallReply | IncomingCallReply) -> None:
    """A reply names the requester's Call ID; without its request the capture began in the middle."""
    known = (call for call in reversed(calls) if call.reply is None and call.request is not None)
    call = next((call for call in known if _requester_id(call) == message.peer_call_id), None)
    if call is None:
        call = _call(not item.from_client, message.peer_call_id)
        calls.append(call)
    call.reply = item
    if item.from_client:
        call.client_call_id = message.call_id
    else:
        call.server_call_id = message.call_id


def _requester_id(call: Call) -> int | None:
    if call.request is None:
        return None
    return call.client_call_id if call.request.from_client else call.server_call_id


def _named(calls: list[Call], item: ControlItem, call_id: int) -> Call | None:
    """The call that a message is about. Peers put either side's Call ID; the newest that fits counts, then the only."""
    for call in reversed(calls):
        ids = (call.client_call_id, call.server_call_id)
        if call_id in ids and (call.begin is None or call.begin <= item.moment):
            return call
    return calls[-1] if len(calls) == 1 else None


def first_of(conversation: Conversation | None, kind: type[M]) -> tuple[ControlItem, M] | None:
    """Return the first message of a kind."""
    for item in conversation.items if conversation else ():
        if isinstance(item.message, kind):
            return item, item.message
    return None
