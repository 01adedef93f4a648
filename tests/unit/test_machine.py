"""Named timers."""

from holdfast.machine import Timers, earliest


def test_no_timer_no_deadline() -> None:
    timers: Timers[str] = Timers()
    assert timers.deadline is None
    assert timers.expired(1e9) == []
    timers.stop("never started")


def test_the_earliest_is_the_deadline() -> None:
    timers: Timers[str] = Timers()
    timers.start("late", 9.0)
    timers.start("soon", 3.0)
    assert timers.deadline == 3.0
    assert timers.running("soon")
    timers.stop("soon")
    assert not timers.running("soon")
    assert timers.deadline == 9.0


def test_starting_again_replaces() -> None:
    timers: Timers[str] = Timers()
    timers.start("echo", 3.0)
    timers.start("echo", 5.0)
    assert timers.expired(4.0) == []
    assert timers.expired(5.0) == ["echo"]


def test_expired_timers_leave_in_the_order_of_their_time() -> None:
    timers: Timers[str] = Timers()
    for name, at in (("c", 3.0), ("a", 1.0), ("b", 1.0), ("later", 4.0)):
        timers.start(name, at)
    assert timers.expired(3.0) == ["a", "b", "c"]
    assert timers.expired(3.0) == []
    assert timers.deadline == 4.0


def test_stop_all() -> None:
    timers: Timers[str] = Timers()
    timers.start("a", 1.0)
    timers.stop_all()
    assert timers.deadline is None


def test_stop_and_continue() -> None:
    timers: Timers[str] = Timers()
    timers.start("a", 1.0)
    timers.start("b", 2.0)
    again: Timers[str] = Timers()
    again.start("forgotten", 0.5)
    again.restore(timers.snapshot())
    assert again.snapshot() == timers.snapshot()
    assert again.expired(5.0) == ["a", "b"]


def test_earliest() -> None:
    assert earliest([]) is None
    assert earliest([None, None]) is None
    assert earliest([None, 2.0, 1.0]) == 1.0
    assert earliest([0.0, 1.0]) == 0.0
