"""When which of many things is due."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.radius.agenda import SPARE, Agenda


def test_the_first_moment_and_what_is_due() -> None:
    agenda = Agenda()
    assert agenda.deadline is None
    for number, at in ((1, 5.0), (2, 3.0), (3, 4.0)):
        agenda.set(number, at)
    assert (agenda.deadline, len(agenda)) == (3.0, 3)
    agenda.set(2, 6.0)
    assert agenda.deadline == 4.0
    agenda.drop(3)
    assert agenda.due(4.9) == []
    assert agenda.due(6.0) == [1, 2]
    assert (agenda.deadline, len(agenda)) == (None, 0)


def test_moments_that_were_put_off_take_no_room() -> None:
    agenda = Agenda()
    for moment in range(100_000):
        agenda.set(1, float(moment))
    for number in range(100_000):
        agenda.set(number, 1e9)
        agenda.drop(number)
    assert len(agenda._heap) <= SPARE + 2


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 20)), st.integers(0, 20))))
def test_it_is_a_table_of_moments(steps: list[tuple[int, int | None, int]]) -> None:
    agenda = Agenda()
    table: dict[int, float] = {}
    for number, at, now in steps:
        if at is None:
            agenda.drop(number)
            table.pop(number, None)
        else:
            agenda.set(number, at)
            table[number] = at
        assert agenda.deadline == min(table.values(), default=None)
        expected = sorted((moment, one) for one, moment in table.items() if moment <= now)
        assert agenda.due(now) == [one for _, one in expected]
        table = {one: moment for one, moment in table.items() if moment > now}
