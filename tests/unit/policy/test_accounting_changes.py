"""What is to be written: each fact in its last form."""

from holdfast.policy.accounting_changes import Changes, Flight, Waiting
from holdfast.radius.exchange_types import Sent

FLIGHT = Flight(1.0, Sent("a:1813", 40000, b"octets"))


def test_nothing_is_nothing():
    assert not Changes()


def test_the_last_counts_of_a_session_are_what_counts():
    changes = Changes()
    changes.open("new", 1.0, b"identity", b"zero")
    for number in range(3):
        changes.count("new", 2.0 + number, b"%d" % number)
        changes.count("old", 2.0 + number, b"%d" % number)
    assert changes.opened == {"new": (4.0, b"identity", b"2")}
    assert changes.counted == {"old": (4.0, b"2")}
    changes.open("old", 5.0, b"renewed", b"3")
    assert not changes.counted
    for session in ("new", "old"):
        changes.close(session)
    assert not changes.opened
    assert list(changes.closed) == ["new", "old"]


def test_a_record_that_was_not_written_yet_is_simply_dropped():
    changes = Changes()
    changes.add(Waiting(1, 0.0, b""))
    changes.launch(1, FLIGHT)
    changes.remove(1)
    assert not changes
    changes.launch(2, FLIGHT)
    changes.remove(2)
    assert not changes.launched
    assert list(changes.removed) == [2]
