from holdfast.watch.recurrence import FLAPS, GUESSES, SUBJECTS_MOST, TIMES, WITHIN, Recurrence

SECOND = 10**9


def told(memory: Recurrence, count: int, finding: str, *, client: str = "a", gap: int = SECOND) -> list[str]:
    found = []
    for number in range(count):
        found += memory.ended(number * gap, client, finding, f"c{number}", 5.0)
    return [event.finding for event in found]


def test_the_same_three_times_is_told_once() -> None:
    memory = Recurrence()
    assert told(memory, TIMES, "gre-missing") == ["gre-missing"]
    (event,) = memory.ended(WITHIN * 2 + 1, "b", "gre-missing", "x", 5.0) or [None]
    assert event is None
    assert told(Recurrence(), TIMES - 1, "gre-missing") == []


def test_slow_repetition_is_none() -> None:
    assert told(Recurrence(), 6, "gre-missing", gap=WITHIN) == []


def test_guessed_passwords_and_flapping() -> None:
    assert told(Recurrence(), GUESSES, "auth-rejected") == ["auth-rejected", "brute-force", "flapping"]
    assert told(Recurrence(), FLAPS, "") == ["flapping"]


def test_long_sessions_that_end_well_do_not_flap() -> None:
    memory = Recurrence()
    assert not [event for number in range(20) for event in memory.ended(number, "a", "", "", 3600.0)]


def test_captures_are_named() -> None:
    memory = Recurrence()
    events = [event for number in range(TIMES) for event in memory.ended(number, "a", "gre-lost", f"c{number}", 1.0)]
    assert events[0].captures == ("c0", "c1", "c2")
    assert (events[0].subject, events[0].times) == ("a", TIMES)


def test_ever_new_clients_are_bounded() -> None:
    memory = Recurrence()
    for number in range(SUBJECTS_MOST + 10):
        memory.ended(number, str(number), "gre-lost", "", 1.0)
    assert len(memory._known) == SUBJECTS_MOST
