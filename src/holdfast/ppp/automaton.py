"""The option negotiation automaton of RFC 1661 section 4, role-free, as one table.

Both ends of a link run the same automaton, once for each control protocol (LCP, IPCP, CCP, ...). It knows nothing
of options or packets. It is told that something happened (an event), changes its state and answers what to
do about it (actions). Three of its ideas explain the whole table:

- Two facts are needed to be Opened: the peer acknowledged OUR request, and we acknowledged the PEER'S. Req-Sent has
  neither, Ack-Rcvd the first, Ack-Sent the second. Every good packet moves one step; every refusal moves back.
- The administrator (Open, Close) and the layer below (Up, Down) are independent. Initial and Starting wait for the
  layer below, Closed and Stopped have it; Starting and Stopped want to be open, Initial and Closed do not. So a
  Configure-Request in Stopped starts all over (`irc,scr,sca/8`), while in Closed it is told off (`sta/2`).
- Nothing is sent twice without the Restart timer, and the timer is given up after a count: Timeout is TO+ while
  the Restart counter is above zero, TO- afterwards. `irc` fills the counter, each scr or str takes one from it, and
  `zrc` empties it, so that the next Timeout is TO-: a pause in which the peer can take in our Terminate-Ack.

Each cell is written as the RFC writes it, `action,action/new-state`, `-` for what cannot happen. The RFC's
footnotes are choices, taken here as follows. [p] A link that gave up is over: nobody waits passively for the peer.
[r] An Open of what is open already does not restart it. [x] Crossed connections are renegotiated as
the table says.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from holdfast.ppp.config import RestartConfig


class State(IntEnum):
    """RFC 1661 section 4.2; the numbers are those of its table."""

    INITIAL = 0
    STARTING = 1
    CLOSED = 2
    STOPPED = 3
    CLOSING = 4
    STOPPING = 5
    REQ_SENT = 6
    ACK_RCVD = 7
    ACK_SENT = 8
    OPENED = 9


class Event(StrEnum):
    """RFC 1661 section 4.3."""

    UP = "Up"
    DOWN = "Down"
    OPEN = "Open"
    CLOSE = "Close"
    TIMEOUT_AGAIN = "TO+"
    TIMEOUT_LAST = "TO-"
    GOOD_REQUEST = "RCR+"
    BAD_REQUEST = "RCR-"
    CONFIGURE_ACK = "RCA"
    CONFIGURE_NAK = "RCN"
    TERMINATE_REQUEST = "RTR"
    TERMINATE_ACK = "RTA"
    UNKNOWN_CODE = "RUC"
    HARMLESS_REJECT = "RXJ+"
    FATAL_REJECT = "RXJ-"
    ECHO = "RXR"


class Action(StrEnum):
    """RFC 1661 section 4.4."""

    ILLEGAL_EVENT = "-"
    THIS_LAYER_UP = "tlu"
    THIS_LAYER_DOWN = "tld"
    THIS_LAYER_STARTED = "tls"
    THIS_LAYER_FINISHED = "tlf"
    INITIALIZE_RESTART_COUNT = "irc"
    ZERO_RESTART_COUNT = "zrc"
    SEND_CONFIGURE_REQUEST = "scr"
    SEND_CONFIGURE_ACK = "sca"
    SEND_CONFIGURE_NAK = "scn"
    SEND_TERMINATE_REQUEST = "str"
    SEND_TERMINATE_ACK = "sta"
    SEND_CODE_REJECT = "scj"
    SEND_ECHO_REPLY = "ser"


class Cell(NamedTuple):
    """What to do, in order, and where to go."""

    actions: tuple[Action, ...]
    state: State


#    | 0     | 1         | 2         | 3             | 4     | 5     | 6         | 7         | 8         | 9
_TABLE = """
Up   | 2     | irc,scr/6 | -         | -             | -     | -     | -         | -         | -         | -
Down | -     | -         | 0         | tls/1         | 0     | 1     | 1         | 1         | 1         | tld/1
Open | tls/1 | 1         | irc,scr/6 | 3             | 5     | 5     | 6         | 7         | 8         | 9
Close| 0     | tlf/0     | 2         | 2             | 4     | 4     | irc,str/4 | irc,str/4 | irc,str/4 | tld,irc,str/4
TO+  | -     | -         | -         | -             | str/4 | str/5 | scr/6     | scr/6     | scr/8     | -
TO-  | -     | -         | -         | -             | tlf/2 | tlf/3 | tlf/3     | tlf/3     | tlf/3     | -
RCR+ | -     | -         | sta/2     | irc,scr,sca/8 | 4     | 5     | sca/8     | sca,tlu/9 | sca/8     | tld,scr,sca/8
RCR- | -     | -         | sta/2     | irc,scr,scn/6 | 4     | 5     | scn/6     | scn/7     | scn/6     | tld,scr,scn/6
RCA  | -     | -         | sta/2     | sta/3         | 4     | 5     | irc/7     | scr/6     | irc,tlu/9 | tld,scr/6
RCN  | -     | -         | sta/2     | sta/3         | 4     | 5     | irc,scr/6 | scr/6     | irc,scr/8 | tld,scr/6
RTR  | -     | -         | sta/2     | sta/3         | sta/4 | sta/5 | sta/6     | sta/6     | sta/6     | tld,zrc,sta/5
RTA  | -     | -         | 2         | 3             | tlf/2 | tlf/3 | 6         | 6         | 8         | tld,scr/6
RUC  | -     | -         | scj/2     | scj/3         | scj/4 | scj/5 | scj/6     | scj/7     | scj/8     | scj/9
RXJ+ | -     | -         | 2         | 3             | 4     | 5     | 6         | 6         | 8         | 9
RXJ- | -     | -         | tlf/2     | tlf/3         | tlf/2 | tlf/3 | tlf/3     | tlf/3     | tlf/3     | tld,irc,str/5
RXR  | -     | -         | 2         | 3             | 4     | 5     | 6         | 7         | 8         | ser/9
"""

TIMED_STATES = frozenset({State.CLOSING, State.STOPPING, State.REQ_SENT, State.ACK_RCVD, State.ACK_SENT})
"""The states in which the Restart timer runs: those that have TO events."""

ILLEGAL = (Action.ILLEGAL_EVENT,)


def _read_cell(text: str) -> Cell | None:
    if text == "-":
        return None
    actions, _, state = text.rpartition("/")
    return Cell(tuple(Action(word) for word in actions.split(",") if word), State(int(state)))


def _read_table(text: str) -> Mapping[Event, tuple[Cell | None, ...]]:
    rows = ([part.strip() for part in line.split("|")] for line in text.strip().splitlines())
    return {Event(row[0]): tuple(_read_cell(part) for part in row[1:]) for row in rows}


TABLE = _read_table(_TABLE)
"""For each event the ten cells, by state; None where the event is illegal."""


class Automaton:
    """One instance of the automaton: state, Restart counter, Restart timer."""

    __slots__ = ("_config", "deadline", "restart_count", "state")

    def __init__(self, config: RestartConfig) -> None:
        self._config = config
        self.state = State.INITIAL
        self.restart_count = 0
        self.deadline: float | None = None

    def handle(self, event: Event, now: float) -> tuple[Action, ...]:
        """Take one event: change state, count and time, and return what is to be done, in order.

        The state is already the new one when this returns. An illegal event changes nothing and returns
        `(Action.ILLEGAL_EVENT,)`, which is to be reported.
        """
        cell = TABLE[event][self.state]
        if cell is None:
            return ILLEGAL
        self.state = cell.state
        for action in cell.actions:
            self._count(action, cell.actions, now)
        if self.state not in TIMED_STATES:
            self.deadline = None
        return cell.actions

    def timeout_event(self, now: float) -> Event | None:
        """Return the Timeout event that is due at `now`, if one is, and stop the timer."""
        if self.deadline is None or now < self.deadline:
            return None
        self.deadline = None
        return Event.TIMEOUT_AGAIN if self.restart_count > 0 else Event.TIMEOUT_LAST

    def _count(self, action: Action, actions: tuple[Action, ...], now: float) -> None:
        if action is Action.INITIALIZE_RESTART_COUNT:
            terminates = Action.SEND_TERMINATE_REQUEST in actions
            self.restart_count = self._config.max_terminate if terminates else self._config.max_configure
        elif action is Action.ZERO_RESTART_COUNT:
            self.restart_count = 0
            self.deadline = now + self._config.linger
        elif action in (Action.SEND_CONFIGURE_REQUEST, Action.SEND_TERMINATE_REQUEST):
            self.restart_count = max(0, self.restart_count - 1)
            self.deadline = now + self._config.restart_timer

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {"state": int(self.state), "restart_count": self.restart_count, "deadline": self.deadline}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self.state = State(state["state"])
        self.restart_count = state["restart_count"]
        self.deadline = state["deadline"]
