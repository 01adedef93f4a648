"""How a try turns out."""

from holdfast.dialer.outcome import Down, TunnelDownError, no_judge
from holdfast.errors import DisconnectReason


def test_the_error_says_what_and_where() -> None:
    down = Down(DisconnectReason.NETWORK_ERROR, "no answer to TCP within 10 s")
    error = TunnelDownError(down, "192.0.2.1:1723")
    assert error.down is down
    assert error.text() == "192.0.2.1:1723: no answer to TCP within 10 s"


def test_no_judge_takes_everything() -> None:
    assert no_judge("0.0.0.0", "") == ""
