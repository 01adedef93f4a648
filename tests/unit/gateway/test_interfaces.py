"""Which interface holds an address."""

from holdfast.errors import HostError
from holdfast.gateway.interfaces import FRESH, Interfaces


def test_the_kernel_is_asked_once_a_minute() -> None:
    now, asked = [0.0], []

    def addresses() -> list[tuple[str, str]]:
        asked.append(now[0])
        return [("lo", "127.0.0.1/8"), ("eth0", f"192.0.2.{len(asked)}/24")]

    interfaces = Interfaces(lambda: now[0], addresses)
    assert interfaces.holding("192.0.2.1") == "eth0"
    assert interfaces.holding("198.51.100.1") == ""
    assert len(asked) == 1
    now[0] = FRESH
    assert interfaces.holding("192.0.2.1") == ""
    assert interfaces.holding("192.0.2.2") == "eth0"


def test_a_kernel_that_does_not_say_hinders_nobody() -> None:
    def addresses() -> list[tuple[str, str]]:
        raise HostError("no")

    assert Interfaces(lambda: 0.0, addresses).holding("192.0.2.1") == ""


def test_loopback_is_found() -> None:
    assert Interfaces(lambda: 0.0).holding("127.0.0.1") == "lo"
