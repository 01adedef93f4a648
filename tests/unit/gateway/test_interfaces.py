"""Which interface holds an address."""

from holdfast.errors import HostError
from holdfast.gateway.interfaces import FRESH, Interfaces, Work


def test_the_kernel_is_asked_once_a_minute_and_nobody_waits_for_it() -> None:
    now, asked, aside = [0.0], [], list[Work]()

    def addresses() -> list[tuple[str, str]]:
        asked.append(now[0])
        return [("lo", "127.0.0.1/8"), ("eth0", f"192.0.2.{len(asked)}/24")]

    interfaces = Interfaces(lambda: now[0], addresses, aside.append)
    interfaces.refresh()
    assert interfaces.holding("192.0.2.1") == "eth0"
    assert interfaces.holding("198.51.100.1") == ""
    now[0] = FRESH - 1
    assert interfaces.holding("192.0.2.1") == "eth0"
    assert (len(asked), len(aside)) == (1, 1)
    now[0] = FRESH
    assert interfaces.holding("192.0.2.1") == "eth0", "the old answer, until the new one is there"
    assert len(aside) == 2
    aside.pop()()
    assert interfaces.holding("192.0.2.1") == ""
    assert interfaces.holding("192.0.2.2") == "eth0"


def test_a_kernel_that_does_not_say_hinders_nobody() -> None:
    def addresses() -> list[tuple[str, str]]:
        raise HostError("no")

    interfaces = Interfaces(lambda: 0.0, addresses)
    interfaces.refresh()
    assert interfaces.holding("192.0.2.1") == ""


def test_loopback_is_found() -> None:
    interfaces = Interfaces(lambda: 0.0)
    interfaces.refresh()
    assert interfaces.holding("127.0.0.1") == "lo"
