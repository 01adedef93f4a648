import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from holdfast.errors import HostError
from holdfast.events import Event
from holdfast.watch import service
from holdfast.watch.desk import Desk
from holdfast.watch.ring import Captured
from holdfast.watch.service import Watch, WatchOptions
from support.live import captured
from support.scene import Scene


class FakeRing:
    """A ring that gives the packets of a scene, and fails as often as it is told."""

    made: ClassVar[list["FakeRing"]] = []
    scenes: ClassVar[list[list[Captured]]] = []
    trouble = 0

    def __init__(self, interface: str, _program: bytes, *, octets: int) -> None:
        if interface == "nowhere0":
            raise HostError("there is no such interface", where=interface)
        self.octets, self.closed = octets, False
        self.made.append(self)

    def packets(self, timeout: float) -> Iterator[Captured]:
        if type(self).trouble:
            type(self).trouble -= 1
            raise HostError("the interface cannot be read: ENETDOWN")
        time.sleep(min(timeout, 0.01))
        yield from self.scenes.pop() if self.scenes else ()

    def lost(self) -> int:
        return 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _ring(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeRing.made, FakeRing.trouble = [], 0
    FakeRing.scenes = [captured(Scene().call().lcp().refuse().goodbye(False))]
    monkeypatch.setattr(service, "Ring", FakeRing)
    monkeypatch.setattr(service, "AGAIN", 0.01)


def run(options: WatchOptions, **more: Any) -> list[Event]:
    told: list[Event] = []
    Watch(options, lambda event, _context: told.append(event), **more).run()
    return told


def test_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    told = run(WatchOptions("eth0", seconds=0.2, ring=1 << 20))
    names = [event.name for event in told if event.name != "WATCH_IMPAIRED"]
    assert names == ["WATCH_START", "WATCH_FAILED", "WATCH_STOP"]
    stop = told[-1].fields()
    assert (stop["sessions"], stop["failures"]) == (1, 1)
    assert stop["packets"] >= 20
    assert stop["lost"] > 0
    assert FakeRing.made[0].closed
    assert FakeRing.made[0].octets == 1 << 20
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(number: signal.Signals) -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
    assert run(WatchOptions("eth0", seconds=60))[-1].name == "WATCH_STOP"


def test_an_interface_that_goes_and_comes_back() -> None:
    FakeRing.trouble = 1
    told = run(WatchOptions("eth0", seconds=0.3))
    details = [event.fields()["detail"] for event in told if event.name == "WATCH_IMPAIRED"]
    assert details[0] == "the interface cannot be read: ENETDOWN"
    assert "the interface is there again" in details
    assert [ring.closed for ring in FakeRing.made] == [True, True]
    assert "WATCH_FAILED" in [event.name for event in told], "what comes after is judged"


def test_what_cannot_begin() -> None:
    with pytest.raises(HostError, match="no such interface"):
        run(WatchOptions("nowhere0"))


def test_somebody_may_look_and_stop_it() -> None:
    looks = []

    def look(desk: Desk) -> None:
        looks.append(desk)
        watch.stop()

    watch = Watch(WatchOptions("eth0"), lambda _event, _context: None, look=look)
    watch.run()
    assert len(looks) == 1
