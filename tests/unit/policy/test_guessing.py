"""Sprays and sieges are told apart from a hammered account, and cost bounded memory."""

import tracemalloc

import pytest

from holdfast.policy.guessing import MOST_OTHERS, Guessing, GuessingRules, Siege, Spray

ATTACKER, HOME = "203.0.113.9", "192.0.2.1"
RULES = GuessingRules(accounts_of_source=5, sources_of_account=6, window=900)


@pytest.fixture
def guessing() -> Guessing:
    return Guessing(RULES)


def spray(guessing: Guessing, accounts: int, now: float = 0.0) -> list[Spray | Siege]:
    return [told for number in range(accounts) for told in guessing.failed(f"user{number}", ATTACKER, now + number)]


def siege(guessing: Guessing, sources: int, now: float = 0.0) -> list[Spray | Siege]:
    return [told for number in range(sources) for told in guessing.failed("alice", address(number), now + number)]


def address(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def test_one_source_and_many_accounts_is_a_spray(guessing: Guessing) -> None:
    assert spray(guessing, 4) == []
    assert guessing.failed("USER3", ATTACKER, 4) == []
    assert guessing.failed("user4", ATTACKER, 5) == [Spray(ATTACKER, 5, 6, 5.0)]


def test_one_account_and_many_sources_is_a_siege(guessing: Guessing) -> None:
    assert siege(guessing, 6) == [Siege("alice", 6, 6, 5.0)]


def test_one_account_and_one_source_is_neither(guessing: Guessing) -> None:
    assert [told for number in range(1000) for told in guessing.failed("alice", HOME, number)] == []


def test_both_at_once_are_both_told(guessing: Guessing) -> None:
    told = []
    for number in range(6):
        for account in range(5):
            told += guessing.failed(f"user{account}", address(number), 0)
    assert [one.source for one in told if isinstance(one, Spray)] == [address(number) for number in range(6)]
    assert [one.account for one in told if isinstance(one, Siege)] == [f"user{number}" for number in range(5)]


def test_what_goes_on_is_told_once_a_window(guessing: Guessing) -> None:
    told = spray(guessing, 2000)
    assert len(told) == 3
    assert told[1] == Spray(ATTACKER, MOST_OTHERS, 900, 900.0)


def test_a_slow_spray_is_told_too_unless_it_pauses_for_a_window(guessing: Guessing) -> None:
    assert [one for number in range(5) for one in guessing.failed(f"user{number}", ATTACKER, number * 800.0)]
    assert not [one for number in range(50) for one in guessing.failed(f"user{number}", HOME, number * 901.0)]


def test_either_can_be_switched_off_and_no_number_is_too_large_to_be_reached() -> None:
    assert spray(Guessing(GuessingRules(accounts_of_source=0)), 1000) == []
    assert siege(Guessing(GuessingRules(sources_of_account=0)), 1000) == []
    assert spray(Guessing(GuessingRules(accounts_of_source=1000)), MOST_OTHERS) != []


def test_a_million_rotating_addresses_and_names_cost_bounded_memory() -> None:
    """Far more than the tables hold; a spray among them is noticed all the same."""
    guessing = Guessing(RULES, limit=1000)
    tracemalloc.start()
    told = []
    for number in range(100_000):
        guessing.failed("x" * 500 + str(number), address(number), number / 1000)
        if number % 500 == 0:
            told += guessing.failed(f"user{number}", ATTACKER, number / 1000)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(guessing) == 2000
    assert used < 2000 * 1000
    assert [one.source for one in told] == [ATTACKER]


def test_one_account_written_in_two_ways_is_no_spray(guessing: Guessing) -> None:
    for name in ("jos\u00e9", "jose\u0301", "Jose\u0301", "JOS\u00c9"):
        guessing.failed(name, ATTACKER, 0.0)
    assert len(guessing) == 2
