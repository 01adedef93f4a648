"""One call: RFC 2637 section 3.2 as a table.

The RFC draws four diagrams: incoming and outgoing calls, each as the PAC and as the PNS sees them. TABLE holds
them, one row an arrow; a pair of state and input that has no row is a violation. Rows beyond the diagrams are for
what real peers do and for messages that cross, each with its reason:

- A PNS may clear a call in any state (section 2.12), also while the PAC still waits for an answer.
- Some servers send Call-Clear-Request and some clients Call-Disconnect-Notify, against sections 2.12 and 2.13.
  The call ends either way; the connection counts a violation.
- A reply that crosses our Call-Clear-Request changes nothing: the PAC will see the request.
- A PAC that never confirms a clear ends the call only (`ControlConfig.clear_timeout`); every other wait that
  is too long ends the connection (section 3.2.1).
- `wait_decision` has no name in the RFC: the PNS asks its owner before it answers an Incoming-Call-Request.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from holdfast.control.codes import Role
from holdfast.control.commands import AnswerCall


class CallKind(StrEnum):
    """Which of the four diagrams a call follows."""

    PAC_INCOMING = "pac_incoming"
    PNS_INCOMING = "pns_incoming"
    PAC_OUTGOING = "pac_outgoing"
    PNS_OUTGOING = "pns_outgoing"

    @property
    def role(self) -> Role:
        """Our role in such a call."""
        return Role.PAC if self in (CallKind.PAC_INCOMING, CallKind.PAC_OUTGOING) else Role.PNS


class CallState(StrEnum):
    """The states of sections 3.2.3 and 3.2.4."""

    IDLE = "idle"
    WAIT_REPLY = "wait_reply"
    WAIT_CS_ANS = "wait_cs_ans"
    WAIT_DECISION = "wait_decision"
    WAIT_CONNECT = "wait_connect"
    ESTABLISHED = "established"
    WAIT_DISCONNECT = "wait_disconnect"


class CallInput(StrEnum):
    """What can happen to a call."""

    PLACE = "place"
    """Our owner wants it: an open indication (PNS) or a ring (PAC)."""
    REQUEST = "request"
    """Outgoing-Call-Request (PAC) or Incoming-Call-Request (PNS) arrived."""
    ACCEPT = "accept"
    REFUSE = "refuse"
    REPLY_ACCEPTED = "reply_accepted"
    REPLY_REFUSED = "reply_refused"
    CONNECTED = "connected"
    """Incoming-Call-Connected arrived."""
    CLEAR_REQUEST = "clear_request"
    DISCONNECT_NOTIFY = "disconnect_notify"
    TERMINATE = "terminate"
    """Our owner ends it."""
    TIMEOUT = "timeout"


class CallAction(StrEnum):
    """What a transition does. The kind of the call says which message it is."""

    ASK = "ask"
    SEND_REQUEST = "send_request"
    SEND_ACCEPTANCE = "send_acceptance"
    SEND_REFUSAL = "send_refusal"
    SEND_CONNECTED = "send_connected"
    SEND_CLEAR_REQUEST = "send_clear_request"
    SEND_DISCONNECT_NOTIFY = "send_disconnect_notify"
    TELL_ESTABLISHED = "tell_established"
    TELL_REFUSED = "tell_refused"
    TELL_CLEARED = "tell_cleared"
    CLOSE_CONNECTION = "close_connection"


Transition = tuple[CallState, tuple[CallAction, ...]]
Rows = Mapping[tuple[CallState, CallInput], Transition]

_I, _S, _A = CallInput, CallState, CallAction

_CLEARED: Final = (_S.IDLE, (_A.TELL_CLEARED,))
_REFUSED: Final = (_S.IDLE, (_A.TELL_REFUSED,))
_NOTIFY_CLEARED: Final = (_S.IDLE, (_A.SEND_DISCONNECT_NOTIFY, _A.TELL_CLEARED))
_NOTIFY_REFUSED: Final = (_S.IDLE, (_A.SEND_DISCONNECT_NOTIFY, _A.TELL_REFUSED))
_REFUSE: Final = (_S.IDLE, (_A.SEND_REFUSAL, _A.TELL_REFUSED))
_CLEAR: Final = (_S.WAIT_DISCONNECT, (_A.SEND_CLEAR_REQUEST,))

_PAC_ESTABLISHED: Final[Rows] = {
    (_S.ESTABLISHED, _I.CLEAR_REQUEST): _NOTIFY_CLEARED,
    (_S.ESTABLISHED, _I.TERMINATE): _NOTIFY_CLEARED,
    (_S.ESTABLISHED, _I.DISCONNECT_NOTIFY): _CLEARED,
}

_PNS_ESTABLISHED: Final[Rows] = {
    (_S.ESTABLISHED, _I.DISCONNECT_NOTIFY): _CLEARED,
    (_S.ESTABLISHED, _I.TERMINATE): _CLEAR,
    (_S.ESTABLISHED, _I.CLEAR_REQUEST): _NOTIFY_CLEARED,
    (_S.WAIT_DISCONNECT, _I.DISCONNECT_NOTIFY): _CLEARED,
    (_S.WAIT_DISCONNECT, _I.CLEAR_REQUEST): _NOTIFY_CLEARED,
    (_S.WAIT_DISCONNECT, _I.TERMINATE): (_S.WAIT_DISCONNECT, ()),
    (_S.WAIT_DISCONNECT, _I.TIMEOUT): _CLEARED,
}

TABLE: Final[Mapping[CallKind, Rows]] = {
    CallKind.PAC_INCOMING: {
        (_S.IDLE, _I.PLACE): (_S.WAIT_REPLY, (_A.SEND_REQUEST,)),
        (_S.WAIT_REPLY, _I.REPLY_ACCEPTED): (_S.ESTABLISHED, (_A.SEND_CONNECTED, _A.TELL_ESTABLISHED)),
        (_S.WAIT_REPLY, _I.REPLY_REFUSED): _REFUSED,
        (_S.WAIT_REPLY, _I.TERMINATE): _NOTIFY_CLEARED,
        (_S.WAIT_REPLY, _I.CLEAR_REQUEST): _NOTIFY_REFUSED,
        (_S.WAIT_REPLY, _I.DISCONNECT_NOTIFY): _REFUSED,
        (_S.WAIT_REPLY, _I.TIMEOUT): (_S.WAIT_REPLY, (_A.CLOSE_CONNECTION,)),
        **_PAC_ESTABLISHED,
    },
    CallKind.PNS_INCOMING: {
        (_S.IDLE, _I.REQUEST): (_S.WAIT_DECISION, (_A.ASK,)),
        (_S.WAIT_DECISION, _I.ACCEPT): (_S.WAIT_CONNECT, (_A.SEND_ACCEPTANCE,)),
        (_S.WAIT_DECISION, _I.REFUSE): _REFUSE,
        (_S.WAIT_DECISION, _I.TIMEOUT): _REFUSE,
        (_S.WAIT_DECISION, _I.DISCONNECT_NOTIFY): _REFUSED,
        (_S.WAIT_DECISION, _I.CLEAR_REQUEST): _NOTIFY_REFUSED,
        (_S.WAIT_CONNECT, _I.CONNECTED): (_S.ESTABLISHED, (_A.TELL_ESTABLISHED,)),
        (_S.WAIT_CONNECT, _I.DISCONNECT_NOTIFY): _REFUSED,
        (_S.WAIT_CONNECT, _I.CLEAR_REQUEST): _NOTIFY_REFUSED,
        (_S.WAIT_CONNECT, _I.TERMINATE): _CLEAR,
        (_S.WAIT_CONNECT, _I.TIMEOUT): (_S.WAIT_CONNECT, (_A.CLOSE_CONNECTION,)),
        (_S.WAIT_DISCONNECT, _I.CONNECTED): (_S.WAIT_DISCONNECT, ()),
        **_PNS_ESTABLISHED,
    },
    CallKind.PAC_OUTGOING: {
        (_S.IDLE, _I.REQUEST): (_S.WAIT_CS_ANS, (_A.ASK,)),
        (_S.WAIT_CS_ANS, _I.ACCEPT): (_S.ESTABLISHED, (_A.SEND_ACCEPTANCE, _A.TELL_ESTABLISHED)),
        (_S.WAIT_CS_ANS, _I.REFUSE): _REFUSE,
        (_S.WAIT_CS_ANS, _I.TIMEOUT): _REFUSE,
        (_S.WAIT_CS_ANS, _I.CLEAR_REQUEST): _NOTIFY_REFUSED,
        (_S.WAIT_CS_ANS, _I.DISCONNECT_NOTIFY): _REFUSED,
        **_PAC_ESTABLISHED,
    },
    CallKind.PNS_OUTGOING: {
        (_S.IDLE, _I.PLACE): (_S.WAIT_REPLY, (_A.SEND_REQUEST,)),
        (_S.WAIT_REPLY, _I.REPLY_ACCEPTED): (_S.ESTABLISHED, (_A.TELL_ESTABLISHED,)),
        (_S.WAIT_REPLY, _I.REPLY_REFUSED): _REFUSED,
        (_S.WAIT_REPLY, _I.DISCONNECT_NOTIFY): _REFUSED,
        (_S.WAIT_REPLY, _I.CLEAR_REQUEST): _NOTIFY_REFUSED,
        (_S.WAIT_REPLY, _I.TERMINATE): _CLEAR,
        (_S.WAIT_REPLY, _I.TIMEOUT): (_S.WAIT_REPLY, (_A.CLOSE_CONNECTION,)),
        (_S.WAIT_DISCONNECT, _I.REPLY_ACCEPTED): (_S.WAIT_DISCONNECT, ()),
        (_S.WAIT_DISCONNECT, _I.REPLY_REFUSED): _CLEARED,
        **_PNS_ESTABLISHED,
    },
}

NO_CALL_ID: Final = -1
"""Stands in events where a side never chose a Call ID; 0 is a legal one (section 3.2.2)."""


@dataclass(slots=True)
class Call:
    """What is known of one call. `local_call_id` is ours and `peer_call_id` the peer's, None until chosen."""

    kind: CallKind
    local_call_id: int | None
    peer_call_id: int | None
    serial_number: int
    state: CallState = CallState.IDLE
    connect_speed: int = 0
    peer_window: int = 0
    deadline: float | None = None
    request: AnswerCall | None = None
    """The question to our owner, while it is unanswered."""

    def transition(self, what: CallInput) -> Transition | None:
        """Return the row of TABLE for `what` in the present state, or None when it may not happen now."""
        return TABLE[self.kind].get((self.state, what))

    def ids(self) -> tuple[int, int]:
        """Return the local and the peer's Call ID for an event."""
        return (
            NO_CALL_ID if self.local_call_id is None else self.local_call_id,
            NO_CALL_ID if self.peer_call_id is None else self.peer_call_id,
        )

    def snapshot(self) -> dict[str, Any]:
        """Return the call as plain data."""
        return {**asdict(self), "kind": self.kind.value, "state": self.state.value}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Call":
        """Return the call that `snapshot` wrote down."""
        request = state["request"]
        return cls(
            **{
                **state,
                "kind": CallKind(state["kind"]),
                "state": CallState(state["state"]),
                "request": AnswerCall(**request) if request is not None else None,
            }
        )
