"""Failed logins: slow, then locked, and never for someone elsewhere."""

import pytest

from holdfast.policy.lockout import LONGEST_DELAY, MOST_ENTRIES, Lock, Lockout, LockoutRules

HOME, HOTEL, ATTACKER = "192.0.2.1", "192.0.2.2", "203.0.113.9"
RULES = LockoutRules(free=3, per_account_and_source=5, per_source=8, per_account=20, window=900, lock_time=600)


@pytest.fixture
def lockout() -> Lockout:
    return Lockout(RULES)


def fail(lockout: Lockout, account: str, source: str, times: int, now: float = 0.0) -> list[Lock]:
    return [lock for _ in range(times) for lock in lockout.failed(account, source, now)]


def test_first_slow_then_locked_for_a_while(lockout: Lockout) -> None:
    assert fail(lockout, "alice", HOME, 2) == []
    assert lockout.delay("alice", HOME, 0) == 0
    fail(lockout, "alice", HOME, 1)
    assert lockout.delay("alice", HOME, 0) == 0.25
    fail(lockout, "alice", HOME, 1)
    assert lockout.delay("alice", HOME, 0) == 0.5
    assert fail(lockout, "alice", HOME, 1) == [Lock("alice", HOME, 5, 600)]
    assert lockout.locked("alice", HOME, 1) == 599
    assert lockout.locked("ALICE", HOME, 1) == 599
    assert lockout.locked("alice", HOME, 600) == 0
    assert lockout.delay("alice", HOME, 601) == 0


def test_what_is_tried_during_a_lock_does_not_make_it_longer() -> None:
    lockout = Lockout(LockoutRules(per_account_and_source=5))
    fail(lockout, "alice", HOME, 5)
    assert fail(lockout, "alice", HOME, 2, now=500) == []
    assert lockout.locked("alice", HOME, 501) == 99
    assert lockout.locked("alice", HOME, 601) == 0
    assert fail(lockout, "alice", HOME, 4, now=601) == []
    assert fail(lockout, "alice", HOME, 1, now=601) == [Lock("alice", HOME, 5, 600)]


def test_a_lock_longer_than_the_window_holds() -> None:
    lockout = Lockout(LockoutRules(per_account_and_source=2, window=10, lock_time=600))
    fail(lockout, "alice", HOME, 2)
    fail(lockout, "alice", HOME, 1, now=300)
    assert lockout.locked("alice", HOME, 301) == 299


def test_nobody_is_locked_out_from_elsewhere(lockout: Lockout) -> None:
    lockout.succeeded("alice", HOME, 0)
    fail(lockout, "alice", ATTACKER, 100)
    assert lockout.locked("alice", ATTACKER, 1) > 0
    assert lockout.locked("alice", HOME, 1) == 0
    assert lockout.locked("alice", HOTEL, 1) == 0
    assert lockout.delay("alice", HOME, 1) == 0


def test_an_account_under_attack_from_everywhere_is_slow_for_strangers_only(lockout: Lockout) -> None:
    lockout.succeeded("alice", HOME, 0)
    for number in range(40):
        fail(lockout, "alice", f"203.0.113.{number}", 1)
    assert lockout.delay("alice", HOME, 1) == 0
    assert lockout.delay("alice", HOTEL, 1) == LONGEST_DELAY
    assert lockout.locked("alice", HOTEL, 1) == 0
    assert lockout.delay("bob", HOTEL, 1) == 0


def test_a_source_that_tries_many_names_is_locked(lockout: Lockout) -> None:
    locks = [lock for number in range(8) for lock in lockout.failed(f"user{number}", ATTACKER, 0)]
    assert locks == [Lock("", ATTACKER, 8, 600)]
    assert lockout.locked("someone", ATTACKER, 1) == 599


def test_neighbours_behind_the_same_address_keep_who_was_there_before_in(lockout: Lockout) -> None:
    lockout.succeeded("alice", HOME, 0)
    for number in range(8):
        lockout.failed(f"user{number}", HOME, 0)
    assert lockout.locked("bob", HOME, 1) > 0
    assert lockout.locked("alice", HOME, 1) == 0


def test_success_of_one_account_does_not_clear_its_source(lockout: Lockout) -> None:
    for number in range(7):
        lockout.failed(f"user{number}", ATTACKER, 0)
    lockout.succeeded("mine", ATTACKER, 0)
    assert [lock.account for lock in lockout.failed("user8", ATTACKER, 0)] == [""]


def test_old_failures_are_forgotten(lockout: Lockout) -> None:
    fail(lockout, "alice", HOME, 4)
    assert lockout.delay("alice", HOME, 901) == 0
    assert fail(lockout, "alice", HOME, 1, now=901) == []


def test_budgets_can_be_switched_off_and_locks_taken_away() -> None:
    lockout = Lockout(LockoutRules(free=0, per_account_and_source=0, per_source=0, per_account=0))
    assert fail(lockout, "alice", HOME, 1000) == []
    assert lockout.delay("alice", HOME, 0) == 0
    lockout = Lockout(RULES)
    fail(lockout, "alice", HOME, 20)
    assert lockout.unlock("alice", HOME, 1)
    assert not lockout.unlock("alice", HOME, 1)
    assert lockout.locked("alice", HOME, 1) == 0


def test_a_flood_of_addresses_and_names_costs_bounded_memory() -> None:
    lockout = Lockout(RULES, limit=1000)
    lockout.succeeded("alice", HOME, 0)
    for number in range(20_000):
        lockout.failed(f"user{number}" * 10, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0)
    assert len(lockout) <= 3 * 1000 + 1
    assert lockout.locked("alice", HOME, 1) == 0
    assert lockout.delay("alice", HOME, 1) == 0


def test_rotating_addresses_cannot_push_a_real_user_out() -> None:
    """Far more than the tables hold, as a crowd of machines would try: alice comes and goes meanwhile."""
    lockout = Lockout(RULES)
    for number in range(60_000):
        lockout.failed(f"user{number}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0)
        if number % 5_000 == 0:
            lockout.succeeded("alice", HOME, 0)
    assert len(lockout) == 3 * MOST_ENTRIES + 1
    assert len(lockout.changes) <= 3 * MOST_ENTRIES + 1
    assert (lockout.locked("alice", HOME, 1), lockout.delay("alice", HOME, 1)) == (0, 0)


def test_a_name_is_one_account_however_its_accents_are_composed(lockout: Lockout) -> None:
    fail(lockout, "jos\u00e9", HOME, 3)
    assert fail(lockout, "JOSE\u0301", HOME, 2) == [Lock("JOSE\u0301", HOME, 5, 600)]
    assert lockout.locked("jos\u00e9", HOME, 1)
    assert lockout.unlock("Jose\u0301", HOME, 1)
    assert not lockout.locked("jos\u00e9", HOME, 1)
