"""What sinks read out of a line."""

from holdfast.observe.sinks.lines import Head, head_of, record_of, text_of
from unit.observe.sinks.receivers import LINES


def test_the_beginning() -> None:
    assert head_of(LINES[0]) == Head("2026-03-01T10:00:00.000+01:00", "AUTH_FAIL", "warning")
    assert head_of(LINES[0]).level == 4
    assert head_of(b'{"stub":"purged"}') == Head("-", "-", "info")


def test_a_line_for_people() -> None:
    first, second = map(text_of, map(record_of, LINES))
    assert first == 'warning AUTH_FAIL 5e55 user=zoë result_code=691 detail="wrong password"'
    assert second == "info IP_UP - dns=10.0.0.1,10.0.0.2 by_peer=True duration=1.5"
    assert text_of({}) == "- - -"
