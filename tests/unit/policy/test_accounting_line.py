"""Which records go when: order within a session, barriers, silence, and records that nobody takes."""

from random import Random

import pytest

from holdfast.policy import accounting_line as module
from holdfast.policy.accounting_changes import Waiting
from holdfast.policy.accounting_line import ROUNDS, WINDOW, Line


def records(*sessions: str) -> list[Waiting]:
    """Return a record for each: `a` of session a, `a+` an update of it, `-` one of the whole gateway."""
    return [
        Waiting(number, 0.0, b"", one.strip("+-"), update_only=one.endswith("+"))
        for number, one in enumerate(sessions, start=1)
    ]


def line_of(*sessions: str) -> Line:
    line = Line()
    line.put(records(*sessions))
    return line


def going(line: Line, now: float = 0.0) -> list[int]:
    found = []
    while (record := line.next(now)) is not None:
        found.append(record.number)
    return found


def test_sessions_do_not_wait_for_each_other_and_each_keeps_its_order():
    line = line_of("a", "b", "a", "a", "b", "c")
    assert going(line) == [1, 2, 6]
    line.done(1)
    assert going(line) == [3]
    line.done(2)
    assert going(line) == [5]
    line.done(3)
    assert going(line) == [4]


def test_no_more_than_the_window_are_under_way():
    line = line_of(*(f"s{number}" for number in range(WINDOW + 5)))
    assert going(line) == list(range(1, WINDOW + 1))
    line.done(3)
    assert going(line) == [WINDOW + 1]


def test_what_is_said_of_the_gateway_waits_for_all_before_it_and_lets_nothing_pass():
    line = line_of("a", "b", "-", "c", "-")
    assert going(line) == [1, 2]
    line.done(2)
    assert going(line) == []
    line.done(1)
    assert going(line) == [3]
    line.done(3)
    assert going(line) == [4]
    line.done(4)
    assert going(line) == [5]


def test_while_no_server_takes_anything_the_rounds_become_rarer_and_nothing_more_goes():
    line = line_of("a", "b", "a", *(f"s{number}" for number in range(50)))
    now, pauses = 0.0, []
    sent = going(line)
    for _ in range(6):
        now += 20.0
        for number in sent:
            assert line.in_vain(number, now, alive=False) == (False, None)
        assert line.silent
        assert going(line, now) == []
        pauses.append(line.deadline - now)
        now = line.deadline
        assert going(line, now) == sent
    assert pauses == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert line.aside == 0
    line.done(1)
    assert not line.silent
    assert 3 in going(line, now)


def in_vain(line: Line, number: int, now: float) -> tuple[float, bool]:
    """Let a record go in vain once, while others are taken; return when it goes again, and whether it was set aside."""
    first, too_much = line.in_vain(number, now, alive=True)
    assert too_much is None
    return line.deadline, first


def test_one_that_nobody_takes_is_set_aside_and_only_its_session_waits():
    line = line_of("a", "a+", "a+", "b")
    assert going(line) == [1, 4]
    line.done(4)
    now, told = 0.0, []
    for _ in range(ROUNDS):
        now, first = in_vain(line, 1, now + 20)
        told.append(first)
        line.put([Waiting(line.last + 1, 0.0, b"", "c")])
        other = line.last
        assert going(line, now) == [1, other]
        line.done(other)
    assert told == [False] * (ROUNDS - 1) + [True]
    assert line.aside == 1
    assert line.superseded() == [2], "the last update says all that the ones before said"
    line.put([Waiting(90, 0.0, b"", "a", update_only=True), Waiting(91, 0.0, b"", "a")])
    assert going(line, now) == []
    assert line.superseded() == [3]
    line.done(1)
    assert going(line, now) == [90]
    line.done(90)
    assert going(line, now) == [91]
    assert line.aside == 0


def test_what_is_set_aside_goes_ever_more_rarely():
    line = line_of("a")
    now, rests = 0.0, []
    for _ in range(ROUNDS + 5):
        assert going(line, now) == [1]
        due, _ = in_vain(line, 1, now + 20)
        rests.append(due - now - 20)
        now = due
    assert rests[ROUNDS - 1 :] == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0]


def test_many_that_nobody_takes_leave_the_others_their_places():
    line = line_of(*(f"bad{number}" for number in range(WINDOW)))
    for number in going(line):
        line.in_vain(number, 20.0, alive=True)
    line.put([Waiting(100 + number, 0.0, b"", f"good{number}") for number in range(WINDOW)])
    sent = going(line, 25.0)
    assert [number for number in sent if number >= 100] == [100 + number for number in range(WINDOW)]
    assert len(sent) == WINDOW + module.SIDE


def test_there_is_an_end_to_what_is_set_aside(monkeypatch):
    monkeypatch.setattr(module, "MOST_ASIDE", 2)
    line = line_of("a", "b", "c", "c")
    given_up = []
    for number in going(line):
        _, too_much = line.in_vain(number, 20.0, alive=True)
        given_up += [too_much.number] if too_much else []
    assert given_up == [1]
    line.done(3)
    assert 4 in going(line, 30.0)


def test_a_server_that_never_takes_accounting_on_gets_the_rest_all_the_same():
    """One that answers Status-Server shows that it lives; so On is set aside."""
    line, now, told = line_of("-", "a", "-"), 0.0, []
    for _ in range(ROUNDS):
        assert going(line, now) == [1]
        now, first = in_vain(line, 1, now + 20)
        told.append(first)
    assert told[-1]
    assert going(line, now - 1) == [2]
    line.done(2)
    assert going(line, now - 1) == [3]
    assert going(line, now) == [1]


def test_a_server_without_status_server_is_tried_out_behind_accounting_on():
    line = line_of("-", *"abcdefgh")
    now = 0.0
    for _ in range(module.SCOUT_ROUNDS):
        assert going(line, now) == [1]
        line.in_vain(1, now + 20, alive=False)
        now = line.deadline
    assert going(line, now) == [1, 2], "one, and no more"
    line.done(2)
    assert going(line, now) == [], "one with each round"
    line.in_vain(1, now + 20, alive=True)
    assert going(line, now + 21) == [1, 3]


def test_what_found_no_room_on_disk_is_forgotten_unless_it_is_under_way():
    line = line_of("a", "a+", "b", "c")
    line.done(line.next(0.0).number)
    assert line.next(0.0).number == 2
    for number in (2, 3):
        line.forget(number)
    assert going(line) == [4]
    line.put([Waiting(5, 0.0, b"", "a"), Waiting(6, 0.0, b"", "a")])
    assert going(line) == []
    line.forget(5)
    line.done(2)
    assert going(line) == [6]


def test_memory_is_bounded():
    line = line_of(*["a"] * 300)
    assert line.room == 0
    assert going(line) == [1]
    assert line.room == 0
    for number in range(1, 200):
        line.done(number)
        assert going(line) == [number + 1]
    assert line.room > 100


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_each_goes_once_and_in_order(seed, monkeypatch):
    monkeypatch.setattr(module, "SCOUT_ROUNDS", 1000)
    dice = Random(seed)
    kinds = [dice.choice(["a", "b", "c", "d", "e", "-"]) for _ in range(60)]
    line, now, done, under_way = line_of(*kinds), 0.0, [], []
    while len(done) < len(kinds):
        under_way += going(line, now)
        assert len(set(under_way)) == len(under_way)
        now += dice.uniform(0, 30)
        if not under_way:
            assert line.deadline is not None
            now = max(now, line.deadline)
            continue
        number = under_way.pop(dice.randrange(len(under_way)))
        if dice.random() < 0.4:
            line.in_vain(number, now, alive=False)
        else:
            line.done(number)
            done.append(number)
    assert line.room == module.AHEAD
    assert line.deadline is None
    for session in "abcde":
        own = [number for number in done if kinds[number - 1] == session]
        assert own == sorted(own)
    for barrier in (number for number, kind in enumerate(kinds, start=1) if kind == "-"):
        assert sorted(done[: barrier - 1]) == list(range(1, barrier))
