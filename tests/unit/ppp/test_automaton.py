"""The automaton does what RFC 1661 section 4.1 prints, cell by cell.

The RFC's table is typed here a second time, state by state (the program has it event by event), from the text.
"""

from itertools import product

import pytest

from holdfast.ppp.automaton import TABLE, TIMED_STATES, Action, Automaton, Event, State
from holdfast.ppp.config import RestartConfig

# The order of events in each column: Up Down Open Close TO+ TO- RCR+ RCR- RCA RCN RTR RTA RUC RXJ+ RXJ- RXR
BY_STATE = {
    "Initial": "2 - tls/1 0 - - - - - - - - - - - -",
    "Starting": "irc,scr/6 - 1 tlf/0 - - - - - - - - - - - -",
    "Closed": "- 0 irc,scr/6 2 - - sta/2 sta/2 sta/2 sta/2 sta/2 2 scj/2 2 tlf/2 2",
    "Stopped": "- tls/1 3r 2 - - irc,scr,sca/8 irc,scr,scn/6 sta/3 sta/3 sta/3 3 scj/3 3 tlf/3 3",
    "Closing": "- 0 5r 4 str/4 tlf/2 4 4 4 4 sta/4 tlf/2 scj/4 4 tlf/2 4",
    "Stopping": "- 1 5r 4 str/5 tlf/3 5 5 5 5 sta/5 tlf/3 scj/5 5 tlf/3 5",
    "Req-Sent": "- 1 6 irc,str/4 scr/6 tlf/3p sca/8 scn/6 irc/7 irc,scr/6 sta/6 6 scj/6 6 tlf/3 6",
    "Ack-Rcvd": "- 1 7 irc,str/4 scr/6 tlf/3p sca,tlu/9 scn/7 scr/6x scr/6x sta/6 6 scj/7 6 tlf/3 7",
    "Ack-Sent": "- 1 8 irc,str/4 scr/8 tlf/3p sca/8 scn/6 irc,tlu/9 irc,scr/8 sta/6 8 scj/8 8 tlf/3 8",
    "Opened": "- tld/1 9r tld,irc,str/4 - - tld,scr,sca/8 tld,scr,scn/6 tld,scr/6x tld,scr/6x "
    "tld,zrc,sta/5 tld,scr/6 scj/9 9 tld,irc,str/5 ser/9",
}
EVENTS = ["Up", "Down", "Open", "Close", "TO+", "TO-", "RCR+", "RCR-", "RCA", "RCN", "RTR", "RTA"]
EVENTS += ["RUC", "RXJ+", "RXJ-", "RXR"]
CONFIG = RestartConfig()


def in_state(state: State, count: int = 3) -> Automaton:
    automaton = Automaton(CONFIG)
    automaton.restore({"state": int(state), "restart_count": count, "deadline": 5.0 if state in TIMED_STATES else None})
    return automaton


def test_the_second_typing_is_complete() -> None:
    assert [len(column.split()) for column in BY_STATE.values()] == [16] * 10
    assert {event.value for event in Event} == set(EVENTS)
    assert {len(row) for row in TABLE.values()} == {10}


@pytest.mark.parametrize(("state", "event"), [*product(State, EVENTS)])
def test_every_cell(state: State, event: str) -> None:
    cell = BY_STATE[list(BY_STATE)[state]].split()[EVENTS.index(event)]
    automaton = in_state(state)
    actions = automaton.handle(Event(event), 10.0)
    if cell == "-":
        assert actions == (Action.ILLEGAL_EVENT,)
        assert automaton.state is state
        return
    words, _, target = cell.rstrip("rpx").rpartition("/")
    assert [action.value for action in actions] == [word for word in words.split(",") if word]
    assert automaton.state == int(target)


@pytest.mark.parametrize(("state", "event"), [*product(State, EVENTS)])
def test_the_timer_runs_only_in_states_with_timeouts(state: State, event: str) -> None:
    automaton = in_state(state)
    automaton.handle(Event(event), 10.0)
    assert (automaton.deadline is None) == (automaton.state not in TIMED_STATES)


def test_only_scr_str_and_zrc_start_the_timer() -> None:
    automaton = in_state(State.REQ_SENT)
    automaton.handle(Event.CONFIGURE_ACK, 4.0)
    assert automaton.deadline == 5.0, "irc alone leaves the timer as it was"
    automaton.handle(Event.TIMEOUT_AGAIN, 5.0)
    assert automaton.deadline == 5.0 + CONFIG.restart_timer
    opened = in_state(State.OPENED)
    opened.handle(Event.TERMINATE_REQUEST, 7.0)
    assert opened.deadline == 7.0 + CONFIG.linger
    assert opened.timeout_event(8.0) is Event.TIMEOUT_LAST


@pytest.mark.parametrize(("maximum", "first"), [(10, Event.UP), (1, Event.UP)])
def test_max_configure_transmissions_then_given_up(maximum: int, first: Event) -> None:
    automaton = Automaton(RestartConfig(max_configure=maximum, restart_timer=2.0))
    automaton.handle(Event.OPEN, 0.0)
    sent = automaton.handle(first, 0.0).count(Action.SEND_CONFIGURE_REQUEST)
    while automaton.deadline is not None:
        now = automaton.deadline
        assert automaton.timeout_event(now - 0.001) is None
        event = automaton.timeout_event(now)
        assert event is not None
        sent += automaton.handle(event, now).count(Action.SEND_CONFIGURE_REQUEST)
    assert sent == maximum
    assert automaton.state is State.STOPPED


def test_max_terminate_transmissions() -> None:
    automaton = in_state(State.OPENED)
    sent = automaton.handle(Event.CLOSE, 0.0).count(Action.SEND_TERMINATE_REQUEST)
    while automaton.deadline is not None:
        event = automaton.timeout_event(automaton.deadline)
        assert event is not None
        sent += automaton.handle(event, 0.0).count(Action.SEND_TERMINATE_REQUEST)
    assert sent == CONFIG.max_terminate == 2
    assert automaton.state is State.CLOSED


def test_defaults_are_those_of_the_rfc() -> None:
    assert (CONFIG.restart_timer, CONFIG.max_configure, CONFIG.max_terminate, CONFIG.max_failure) == (3.0, 10, 2, 5)


def test_snapshot_and_restore() -> None:
    automaton = in_state(State.ACK_SENT, count=4)
    other = Automaton(CONFIG)
    other.restore(automaton.snapshot())
    assert (other.state, other.restart_count, other.deadline) == (State.ACK_SENT, 4, 5.0)
