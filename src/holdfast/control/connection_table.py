"""The control connection itself: RFC 2637 sections 3.1.1 and 3.1.2 as one table.

The RFC draws originator and receiver apart; they differ only in how they leave `idle`, so one table holds both,
one row an arrow. A pair without a row is a violation. Rows beyond the diagrams:

- Stop-Control-Connection-Request is answered in every state; real peers send it whenever they leave.
- A Start-Control-Connection-Request on an established connection is answered with result 3, which section 2.2
  has for it, and counts as a violation.
- A Start-Control-Connection-Request that crosses ours on the same TCP connection is answered; our own reply is
  still awaited. (Section 3.1.3 is about two TCP connections; see `ConnectionMachine.lose_collision`.)
- `closed` is the idle state of section 3.1 after the end: a machine serves one TCP connection.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ConnectionState(StrEnum):
    """The states of section 3.1."""

    IDLE = "idle"
    WAIT_CTL_REPLY = "wait_ctl_reply"
    ESTABLISHED = "established"
    WAIT_STOP_REPLY = "wait_stop_reply"
    YIELDED = "yielded"
    """We won a collision: nothing may be sent here (section 3.1.3), the peer will close."""
    CLOSED = "closed"


class ControlTimer(StrEnum):
    """What a control connection waits for."""

    SETUP = "setup"
    """The exchange of Start-Control-Connection-Request and -Reply."""
    ECHO = "echo"
    """Silence of the peer: an Echo-Request is due."""
    ECHO_REPLY = "echo_reply"
    """The answer to our Echo-Request. Runs exactly while one is unanswered."""
    STOP = "stop"
    """The answer to our Stop-Control-Connection-Request."""


class ConnectionInput(StrEnum):
    """What can happen to the connection."""

    OPEN = "open"
    START_REQUEST = "start_request"
    START_REQUEST_BAD_VERSION = "start_request_bad_version"
    START_REQUEST_UNWELCOME = "start_request_unwelcome"
    """Our owner does not want this peer."""
    START_REPLY = "start_reply"
    START_REPLY_BAD_VERSION = "start_reply_bad_version"
    START_REPLY_REFUSED = "start_reply_refused"
    STOP_REQUEST = "stop_request"
    STOP_REPLY = "stop_reply"
    TERMINATE = "terminate"
    """Our owner ends it."""
    ABORT = "abort"
    """We end it because the peer breaks the protocol or does not answer."""
    TIMEOUT = "timeout"
    """The set-up, an Echo-Reply or the Stop-Control-Connection-Reply did not come in time."""
    COLLISION_WON = "collision_won"
    """Section 3.1.3: our own connection to the peer prevails over this one, which the peer made."""
    CUT = "cut"
    """The framing is lost, or a collision is: close at once, without a word."""
    LOST = "lost"
    """The TCP connection is gone."""


class ConnectionAction(StrEnum):
    """What a transition does."""

    SEND_START_REQUEST = "send_start_request"
    SEND_START_REPLY = "send_start_reply"
    SEND_START_REPLY_BAD_VERSION = "send_start_reply_bad_version"
    SEND_START_REPLY_EXISTS = "send_start_reply_exists"
    SEND_START_REPLY_REFUSED = "send_start_reply_refused"
    SEND_STOP_REQUEST = "send_stop_request"
    SEND_STOP_REQUEST_BAD_VERSION = "send_stop_request_bad_version"
    SEND_STOP_REPLY = "send_stop_reply"
    END_CALLS = "end_calls"
    """Say goodbye on every call."""
    CALLS_CLEARED = "calls_cleared"
    """The peer's stop implicitly cleared every call (section 2.3)."""
    DROP_CALLS = "drop_calls"
    """Every call is over because the connection is, and nobody cleared it."""
    TELL_ESTABLISHED = "tell_established"
    VIOLATION = "violation"
    TELL_CLOSED = "tell_closed"
    CLOSE = "close"
    """Close the TCP connection and tell the end."""


Transition = tuple[ConnectionState, tuple[ConnectionAction, ...]]

_I, _S, _A = ConnectionInput, ConnectionState, ConnectionAction

_CLOSE: Final = (_S.CLOSED, (_A.CLOSE,))
_LOST: Final = (_S.CLOSED, (_A.TELL_CLOSED,))
_DROP: Final = (_S.CLOSED, (_A.DROP_CALLS, _A.CLOSE))
_STOP: Final = (_S.CLOSED, (_A.SEND_STOP_REPLY, _A.CLOSE))
_BAD_VERSION: Final = (_S.CLOSED, (_A.SEND_START_REPLY_BAD_VERSION, _A.CLOSE))
_EXISTS: Final = (_S.ESTABLISHED, (_A.SEND_START_REPLY_EXISTS, _A.VIOLATION))

TABLE: Final[Mapping[tuple[ConnectionState, ConnectionInput], Transition]] = {
    (_S.IDLE, _I.OPEN): (_S.WAIT_CTL_REPLY, (_A.SEND_START_REQUEST,)),
    (_S.IDLE, _I.START_REQUEST): (_S.ESTABLISHED, (_A.SEND_START_REPLY, _A.TELL_ESTABLISHED)),
    (_S.IDLE, _I.START_REQUEST_BAD_VERSION): _BAD_VERSION,
    (_S.IDLE, _I.START_REQUEST_UNWELCOME): (_S.CLOSED, (_A.SEND_START_REPLY_REFUSED, _A.CLOSE)),
    (_S.IDLE, _I.STOP_REQUEST): _STOP,
    (_S.IDLE, _I.TERMINATE): _CLOSE,
    (_S.IDLE, _I.ABORT): _CLOSE,
    (_S.IDLE, _I.TIMEOUT): _CLOSE,
    (_S.IDLE, _I.COLLISION_WON): (_S.YIELDED, ()),
    (_S.IDLE, _I.CUT): _CLOSE,
    (_S.IDLE, _I.LOST): _LOST,
    (_S.WAIT_CTL_REPLY, _I.START_REPLY): (_S.ESTABLISHED, (_A.TELL_ESTABLISHED,)),
    (_S.WAIT_CTL_REPLY, _I.START_REPLY_BAD_VERSION): (_S.WAIT_STOP_REPLY, (_A.SEND_STOP_REQUEST_BAD_VERSION,)),
    (_S.WAIT_CTL_REPLY, _I.START_REPLY_REFUSED): _CLOSE,
    (_S.WAIT_CTL_REPLY, _I.START_REQUEST): (_S.WAIT_CTL_REPLY, (_A.SEND_START_REPLY,)),
    (_S.WAIT_CTL_REPLY, _I.START_REQUEST_BAD_VERSION): _BAD_VERSION,
    (_S.WAIT_CTL_REPLY, _I.STOP_REQUEST): _STOP,
    (_S.WAIT_CTL_REPLY, _I.TERMINATE): _CLOSE,
    (_S.WAIT_CTL_REPLY, _I.ABORT): _CLOSE,
    (_S.WAIT_CTL_REPLY, _I.TIMEOUT): _CLOSE,
    (_S.WAIT_CTL_REPLY, _I.CUT): _CLOSE,
    (_S.WAIT_CTL_REPLY, _I.LOST): _LOST,
    (_S.ESTABLISHED, _I.START_REQUEST): _EXISTS,
    (_S.ESTABLISHED, _I.START_REQUEST_BAD_VERSION): _EXISTS,
    (_S.ESTABLISHED, _I.STOP_REQUEST): (_S.CLOSED, (_A.SEND_STOP_REPLY, _A.CALLS_CLEARED, _A.CLOSE)),
    (_S.ESTABLISHED, _I.TERMINATE): (_S.WAIT_STOP_REPLY, (_A.END_CALLS, _A.SEND_STOP_REQUEST)),
    (_S.ESTABLISHED, _I.ABORT): (_S.CLOSED, (_A.END_CALLS, _A.SEND_STOP_REQUEST, _A.CLOSE)),
    (_S.ESTABLISHED, _I.TIMEOUT): _DROP,
    (_S.ESTABLISHED, _I.CUT): _DROP,
    (_S.ESTABLISHED, _I.LOST): (_S.CLOSED, (_A.DROP_CALLS, _A.TELL_CLOSED)),
    (_S.WAIT_STOP_REPLY, _I.STOP_REPLY): _CLOSE,
    (_S.WAIT_STOP_REPLY, _I.STOP_REQUEST): _STOP,
    (_S.WAIT_STOP_REPLY, _I.TERMINATE): (_S.WAIT_STOP_REPLY, ()),
    (_S.WAIT_STOP_REPLY, _I.ABORT): _CLOSE,
    (_S.WAIT_STOP_REPLY, _I.TIMEOUT): _CLOSE,
    (_S.WAIT_STOP_REPLY, _I.CUT): _CLOSE,
    (_S.WAIT_STOP_REPLY, _I.LOST): _LOST,
    (_S.YIELDED, _I.TERMINATE): _CLOSE,
    (_S.YIELDED, _I.TIMEOUT): _CLOSE,
    (_S.YIELDED, _I.CUT): _CLOSE,
    (_S.YIELDED, _I.LOST): _LOST,
}
