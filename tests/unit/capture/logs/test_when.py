from datetime import UTC, datetime, timedelta, timezone

import pytest

from holdfast.capture.logs.when import Clock

NEWEST = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def clock() -> Clock:
    return Clock(NEWEST.timestamp(), UTC)


def seconds(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Feb 28 23:59:58 host pppd[1]: x", seconds(2026, 2, 28, 23, 59, 58)),
        ("Dec 31 23:59:58 host pppd[1]: x", seconds(2025, 12, 31, 23, 59, 58)),
        ("Jan  2 03:04:05.250 host pppd[1]: x", seconds(2026, 1, 2, 3, 4, 5) + 0.25),
        ("2026-01-02T03:04:05.250000+01:00 host pppd[1]: x", seconds(2026, 1, 2, 2, 4, 5) + 0.25),
        ("2026-01-02T03:04:05Z x", seconds(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05+0530 x", seconds(2026, 1, 1, 21, 34, 5)),
        ("[2026-01-02 03:04:05]:  info: ppp0: x", seconds(2026, 1, 2, 3, 4, 5)),
        ("jan/02/2026 03:04:05 pptp,info x", seconds(2026, 1, 2, 3, 4, 5)),
        ("Fri Jan  2 03:04:05 2026 : Auth: x", seconds(2026, 1, 2, 3, 4, 5)),
        ("Jan 2 2026 03:04:05 x", seconds(2026, 1, 2, 3, 4, 5)),
        ("1/2/2026 3:04:05 PM", seconds(2026, 1, 2, 15, 4, 5)),
        ("02.01.2026 03:04:05", seconds(2026, 1, 2, 3, 4, 5)),
        ("03:04:05 pptp,ppp,info x", seconds(2026, 3, 1, 3, 4, 5)),
    ],
)
def test_many_ways_to_say_the_same(text: str, expected: float) -> None:
    when, rest = clock().take(text)
    assert when == round(expected * 1000) * 10**6
    assert rest in ("x", "host pppd[1]: x", ":  info: ppp0: x", "pptp,info x", ": Auth: x", "pptp,ppp,info x", "")


def test_what_was_guessed_is_said() -> None:
    told = clock()
    told.take("2026-01-02T03:04:05Z x")
    assert told.notes() == []
    told.take("Jan  2 03:04:05 x")
    assert ["year" in note for note in told.notes()] == [True, False]
    assert "UTC" in told.notes()[1]
    told.take("03:04:05 x")
    assert "day" in told.notes()[0]


def test_the_zone_of_this_machine_is_used() -> None:
    east = Clock(NEWEST.timestamp(), timezone(timedelta(hours=2)))
    assert east.take("Jan  2 03:04:05 x")[0] == int(seconds(2026, 1, 2, 1, 4, 5) * 1e9)


@pytest.mark.parametrize(
    "text", ["Jan 99 99:99:99 x", "Foo  1 00:00:00 x", "9999-99-99 00:00:00", "", "(", "Feb 30 01:01:01 x"]
)
def test_no_time_is_no_time(text: str) -> None:
    assert clock().take(text) == (None, text)
