"""The watchdog over connections."""

from holdfast.radius.watchdog import Watchdog

ONE, TWO = (0, 0), (0, 1)


def test_a_quiet_connection_is_asked_and_then_closed():
    dog = Watchdog(quiet=30, patience=10)
    assert dog.deadline is None
    dog.opened(ONE, 0)
    dog.opened(TWO, 5)
    assert dog.deadline == 30
    assert dog.due(29.9) == ([], [])
    assert dog.due(30) == ([ONE], [])
    assert dog.due(35) == ([TWO], [])
    dog.heard(TWO, 36)
    assert dog.due(40) == ([], [ONE])
    dog.closed(ONE)
    assert dog.deadline == 66


def test_a_stranger_is_not_watched():
    dog = Watchdog()
    dog.heard(ONE, 1)
    dog.closed(ONE)
    assert dog.deadline is None
