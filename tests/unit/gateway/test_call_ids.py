"""Local Call IDs."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.gateway.call_ids import CallIds


def test_an_id_comes_back_as_late_as_possible():
    ids = CallIds(start=65_533)
    first = ids.allocate()
    assert first == 65_534
    ids.release(first)
    assert [ids.allocate() for _ in range(3)] == [65_535, 1, 2], "0 is never given, the released one waits its turn"


def test_all_in_use_gives_none_and_the_one_that_is_free_is_found():
    ids = CallIds(start=0)
    given_out = {ids.allocate() for _ in range(CallIds.LAST)}
    assert given_out == set(range(1, 65_536))
    assert ids.allocate() is None
    ids.release(4711)
    assert ids.allocate() == 4711
    assert ids.allocate() is None


def test_releasing_what_is_not_in_use_does_nothing():
    ids = CallIds(start=0)
    ids.release(9)
    assert len(ids) == 0


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 70_000))
def test_never_the_same_id_twice(steps, start):
    ids, held = CallIds(start), []
    for take in steps:
        if take or not held:
            fresh = ids.allocate()
            assert fresh not in held
            held.append(fresh)
        else:
            ids.release(held.pop(0))
    assert len(ids) == len(held)
