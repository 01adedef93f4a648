"""The defaults are those of RFC 2637 where it has any."""

from holdfast.control.config import ControlConfig


def test_the_times_of_the_rfc() -> None:
    """Sections 3, 3.1.4 and 3.2.1."""
    config = ControlConfig()
    assert (config.echo_interval, config.echo_timeout, config.reply_timeout) == (60, 60, 60)


def test_slow_clients_are_closed_after_10_seconds() -> None:
    assert ControlConfig().setup_timeout == 10
