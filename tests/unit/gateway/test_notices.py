"""Refusals are told at a rate that no flood can raise."""

from holdfast.gateway.notices import BURST, PERIOD, Notices


def test_a_flood_is_counted_and_told_with_the_next() -> None:
    told = []
    notices = Notices(lambda event, context: told.append((event, context)))
    for number in range(1000):
        notices.limit("half_open", f"192.0.2.{number % 250}", "too many", {"n": number}, now=number / 1000)
    assert len(told) == BURST
    assert [event.times for event, _ in told] == [1] * BURST
    notices.limit("sessions", "192.0.2.1", "too many", {}, now=1.0)
    assert told[-1][0].limit == "sessions"
    notices.limit("half_open", "192.0.2.7", "too many", {"n": 1000}, now=PERIOD)
    event, context = told[-1]
    assert (event.subject, event.times, context) == ("192.0.2.7", 991, {"n": 1000})
    notices.limit("half_open", "192.0.2.7", "too many", {}, now=PERIOD + 0.1)
    assert told[-1][0].times == 1
