"""What is to be written down of failed logins, and what a gateway makes of it that comes later."""

from holdfast.policy.lockout import HOME_MEMORY, Lockout, LockoutRules
from holdfast.policy.lockout_changes import Budget, Changes, Kept

HOME, ATTACKER = "192.0.2.1", "203.0.113.9"
RULES = LockoutRules(per_account_and_source=5, per_source=8, window=900, lock_time=600)


class Book:
    """Writes down what it is given, as a database would."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, bytes], Kept] = {}

    def write(self, lockout: Lockout, most: int = 1 << 30) -> None:
        for change in lockout.changes.take(most):
            place = change.table, change.key
            if change.gone:
                self.rows.pop(place, None)
            else:
                self.rows[place] = change

    def successor(self, now: float, rules: LockoutRules = RULES) -> Lockout:
        lockout = Lockout(rules)
        lockout.restore(sorted(self.rows.values(), key=lambda row: row.last), now)
        return lockout


def failed(times: int = 5) -> tuple[Lockout, Book]:
    lockout, book = Lockout(RULES), Book()
    lockout.succeeded("bob", HOME, 0)
    for _ in range(times):
        lockout.failed("alice", ATTACKER, 0)
    book.write(lockout)
    return lockout, book


def test_a_lock_holds_for_the_next_gateway() -> None:
    _, book = failed()
    later = book.successor(100)
    assert later.locked("alice", ATTACKER, 100) == 500
    assert later.locked("alice", HOME, 100) == 0
    assert later.locked("alice", ATTACKER, 601) == 0


def test_failures_are_counted_on() -> None:
    _, book = failed(4)
    assert book.successor(100).delay("alice", ATTACKER, 100) > 0
    assert [lock.account for lock in book.successor(100).failed("alice", ATTACKER, 100)] == ["alice"]
    assert book.successor(901).failed("alice", ATTACKER, 901) == [], "old failures are forgotten"


def test_who_was_at_home_somewhere_still_is() -> None:
    _, book = failed()
    later = book.successor(0)
    for number in range(8):
        later.failed(f"user{number}", HOME, 0)
    assert later.locked("bob", HOME, 1) == 0
    assert later.locked("carol", HOME, 1) > 0
    for number in range(8):
        (much_later := book.successor(HOME_MEMORY + 1)).failed(f"user{number}", HOME, HOME_MEMORY + 1)
    assert len(much_later) == 3, "not even a regular user is remembered for ever"


def test_what_is_unlocked_stays_so() -> None:
    lockout, book = failed()
    assert lockout.unlock("alice", ATTACKER, 1)
    book.write(lockout)
    assert book.successor(2).locked("alice", ATTACKER, 2) == 0
    later = failed()[1].successor(2)
    later.unlock("alice", ATTACKER, 2)
    assert [change.gone for change in later.changes.take(9)] == [True, True]


def test_what_is_over_is_struck_out() -> None:
    _, book = failed()
    later = book.successor(10_000)
    assert len(later) == 1, "who was at home"
    book.write(later)
    assert [place[0] for place in book.rows] == ["known"]


def test_a_clock_that_was_set_makes_no_lock_longer() -> None:
    _, book = failed()
    assert book.successor(-50_000).locked("alice", ATTACKER, -50_000) == 600


def test_an_entry_is_written_once_however_often_it_changed() -> None:
    lockout, _ = failed(4)
    for _ in range(3):
        lockout.failed("alice", ATTACKER, 1)
    assert [change.failures for change in lockout.changes.take(9)] == [7, 7, 7]


def test_a_flood_leaves_a_bounded_book() -> None:
    lockout, book = Lockout(RULES, limit=100), Book()
    most_changes = 0
    for number in range(5_000):
        lockout.failed(f"user{number}", f"address{number}", 0)
        if number % 50 == 0:
            book.write(lockout, 60)
            assert len(book.rows) <= 300 + 60
        most_changes = max(most_changes, len(lockout.changes))
    assert most_changes <= 2 * 300
    book.write(lockout)
    assert len(book.rows) == len(lockout) == 300


def test_what_could_not_be_written_is_tried_again() -> None:
    lockout, _ = failed()
    lockout.failed("alice", ATTACKER, 2)
    lost = lockout.changes.take(9)
    lockout.failed("alice", ATTACKER, 3)
    lockout.changes.give_back(lost)
    assert sorted(change.last for change in lockout.changes.take(9)) == [3, 3, 3]
    lockout.unlock("alice", ATTACKER, 4)
    lost = lockout.changes.take(9)
    lockout.changes.give_back(lost)
    assert lockout.changes.take(9) == lost


def test_somebody_is_woken_for_the_first_change_only() -> None:
    changes, woken = Changes(), []
    changes.wake = lambda: woken.append(1)
    changes.changed("pair", b"a", Budget())
    changes.changed("pair", b"b", Budget())
    changes.take(9)
    changes.gone("pair", b"a", Budget(kept=True))
    assert woken == [1, 1]
