from holdfast.capture.moment import Moment, iso


def test_moments_sort_by_time_and_know_their_distance() -> None:
    early, late = Moment(1_000_000_000, 1, 9), Moment(2_500_000_000, 0, 1)
    assert min(late, early) is early
    assert late.since(early) == 1.5
    assert late.seconds == 2.5


def test_times_are_written_in_utc() -> None:
    assert Moment(1_700_000_000_123_456_789, 0, 1).iso() == "2023-11-14T22:13:20.123456+00:00"


def test_a_time_that_no_calendar_has_is_a_number() -> None:
    assert iso(10**28) == str(10**28)
