"""Forwarding that somebody switches off: put back each time, told in good measure."""

import pytest

from holdfast.errors import HostError
from holdfast.events import Severity
from holdfast.gateway.forwarding import CALM, Forwarding


class Host:
    """A host on which forwarding may be off, and may have to stay so."""

    def __init__(self) -> None:
        self.off = False
        self.refuses = ""
        self.now = 1000.0

    def restore(self) -> list[str]:
        if self.off and self.refuses:
            raise HostError(self.refuses, where="sysctl", fix="set it before the start")
        made, self.off = ["net/ipv4/ip_forward = 1"] if self.off else [], False
        return made


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def forwarding(host: Host) -> Forwarding:
    return Forwarding(host.restore, lambda: host.now)


def test_while_it_is_on_nothing_is_told(forwarding: Forwarding) -> None:
    assert forwarding.look() is None


def test_what_was_switched_off_is_on_again_and_told(host: Host, forwarding: Forwarding) -> None:
    host.off = True
    fact = forwarding.look()
    assert fact is not None
    assert (fact.restored, fact.times, fact.level()) == (True, 1, Severity.WARNING)
    assert "net/ipv4/ip_forward = 1 again" in fact.detail
    assert not host.off
    assert forwarding.look() is None


def test_a_fight_is_told_once_a_minute_with_how_often(host: Host, forwarding: Forwarding) -> None:
    told = []
    for _ in range(10):
        host.off = True
        told.append(forwarding.look())
        assert not host.off, "it is put back each time"
    assert [fact.times for fact in told if fact] == [1]
    host.now += CALM
    host.off = True
    fact = forwarding.look()
    assert fact is not None
    assert fact.times == 10


def test_what_cannot_be_put_back_is_told_once_and_when_it_is_mended(host: Host, forwarding: Forwarding) -> None:
    host.off, host.refuses = True, "cannot set net/ipv4/ip_forward to 1: Read-only file system"
    fact = forwarding.look()
    assert fact is not None
    assert (fact.restored, fact.level()) == (False, Severity.ERROR)
    assert "Read-only file system" in fact.detail
    assert forwarding.look() is None
    host.off = False
    mended = forwarding.look()
    assert mended is not None
    assert (mended.restored, mended.times) == (True, 1)
    assert forwarding.look() is None
