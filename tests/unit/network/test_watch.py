"""Waking up when the network changed or the machine slept."""

import asyncio
import socket

import pytest

from holdfast.network import watch
from holdfast.network.watch import NetworkWatch

pytestmark = pytest.mark.asyncio


async def test_a_suspend_is_noticed_by_the_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SLEEP_CHECK", 0.01)
    asleep = [5.0]
    monkeypatch.setattr(watch, "_time_asleep", lambda: asleep[0])
    told: list[str] = []
    made = NetworkWatch(told.append)
    await asyncio.sleep(0.03)
    asleep[0] += 1.0
    await asyncio.sleep(0.03)
    assert told == [], "clocks wobble"
    asleep[0] += 3600.0
    await asyncio.sleep(0.03)
    assert told == ["the machine slept for 3600 s"]
    made.close()


async def test_a_burst_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SETTLE", 0.02)
    told: list[str] = []
    made = NetworkWatch(told.append)
    for _ in range(5):
        made._heard()
    await asyncio.sleep(0.05)
    assert len(told) == 1
    made._heard()
    made.close()
    await asyncio.sleep(0.05)
    assert len(told) == 1, "closed is closed"


async def test_a_socket_that_may_not_listen_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []

    class Deaf(socket.socket):
        def bind(self, address: object) -> None:
            opened.append(self)
            raise PermissionError("not here")

    monkeypatch.setattr(socket, "socket", Deaf)
    with pytest.raises(PermissionError):
        NetworkWatch(lambda _words: None)
    assert [one.fileno() for one in opened] == [-1]
