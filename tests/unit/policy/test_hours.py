"""Weekly windows."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.hours import WEEK_MINUTES, Hours

MONDAY, TUESDAY, SATURDAY, SUNDAY = 16, 17, 21, 22


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of the third week of November 2026, whose Monday is the 16th."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment", "ends"),
    [
        ("mon-fri 08:00-18:00", at(MONDAY, 8), at(MONDAY, 18)),
        ("mon-fri 08:00-18:00", at(TUESDAY, 17, 59, 59), at(TUESDAY, 18)),
        ("mon-fri 08:00-18:00", at(MONDAY, 7, 59), None),
        ("mon-fri 08:00-18:00", at(SATURDAY, 12), None),
        ("mon 08:00-12:00, mon 12:00-18:00", at(MONDAY, 9), at(MONDAY, 18)),
        ("sat 22:00-02:00", at(SUNDAY, 1), at(SUNDAY, 2)),
        ("sun 20:00-06:00", at(SUNDAY, 23), at(23, 6)),
        ("sun 20:00-06:00", at(MONDAY, 5), at(MONDAY, 6)),
        ("08:00-09:00", at(SUNDAY, 8, 30), at(SUNDAY, 9)),
        ("fri-mon 10:00-11:00", at(SUNDAY, 10), at(SUNDAY, 11)),
        ("fri-mon 10:00-11:00", at(TUESDAY, 10), None),
        ("tue 00:00-24:00", at(TUESDAY, 23, 59), at(18, 0)),
    ],
)
def test_windows(text: str, moment: datetime, ends: datetime | None) -> None:
    hours = Hours.parse(text)
    assert hours.allows(moment) == (ends is not None)
    assert hours.ends(moment) == ends


def test_without_windows_every_time_is_allowed_and_nothing_ends() -> None:
    assert Hours.parse("").allows(at(SUNDAY, 3))
    assert Hours.parse("").ends(at(SUNDAY, 3)) is None


def test_all_the_week_never_ends() -> None:
    assert Hours.parse("00:00-24:00").windows == ((0, WEEK_MINUTES),)
    assert Hours.parse("00:00-24:00").ends(at(MONDAY, 1)) is None


@pytest.mark.parametrize("text", ["mon", "8-18", "mon 25:00-26:00", "mon 08:61-09:00", "xyz 08:00-09:00", "mon 08:00"])
def test_what_is_no_window_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        Hours.parse(text)


@given(st.text(alphabet="montuesatfri0123456789:-, ", max_size=30))
def test_any_text_is_windows_or_a_sentence(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert all(0 <= begin < end <= WEEK_MINUTES for begin, end in Hours.parse(text).windows)
