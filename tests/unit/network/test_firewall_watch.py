"""Waking up when the firewall changed, seldom in a storm, and knowing who did it."""

import asyncio
import socket
import struct

import pytest
import pytest_asyncio

from holdfast.network import firewall_watch
from holdfast.network.firewall_watch import BUFFER, REMEMBERED, FirewallWatch
from holdfast.network.nf_tables import ATTRIBUTE, MESSAGE, NEW_GENERATION, SUBSYSTEM

pytestmark = pytest.mark.asyncio


def message(kind: int, *attributes: tuple[int, bytes]) -> bytes:
    body = bytes(4)
    for number, value in attributes:
        body += ATTRIBUTE.pack(ATTRIBUTE.size + len(value), number) + value + bytes(-len(value) % 4)
    return MESSAGE.pack(MESSAGE.size + len(body), kind, 0, 0, 0) + body


def generation(number: int, name: str, process: int) -> bytes:
    numbers = (1, struct.pack(">I", number)), (2, struct.pack(">I", process))
    return message(NEW_GENERATION, *numbers, (3, name.encode() + b"\0"))


class Kernel:
    """The other end of the socket, and how often the watch woke up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.end, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        monkeypatch.setattr(firewall_watch, "_subscribed", lambda: ours)
        self.woken = 0
        self.watch = FirewallWatch(self.wake)

    def wake(self) -> None:
        self.woken += 1

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while self.woken < count:  # noqa: ASYNC110 - what the watch does has no event
                await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def kernel(monkeypatch):
    made = Kernel(monkeypatch)
    yield made
    made.watch.close()
    made.end.close()


async def test_the_first_change_wakes_at_once_and_the_rest_together(kernel, monkeypatch) -> None:
    monkeypatch.setattr(firewall_watch, "QUIET", 3600.0)
    for number in range(5):
        kernel.end.send(generation(number, "nft", 1))
    await kernel.until(1)
    for _ in range(10):
        kernel.end.send(message(SUBSYSTEM))
        await asyncio.sleep(0.001)
    assert kernel.woken == 1


async def test_what_comes_while_nobody_listens_wakes_afterwards(kernel, monkeypatch) -> None:
    monkeypatch.setattr(firewall_watch, "QUIET", 0.02)
    kernel.end.send(message(SUBSYSTEM))
    await kernel.until(1)
    kernel.end.send(message(SUBSYSTEM))
    await kernel.until(2)
    await asyncio.sleep(0.1)
    assert kernel.woken == 2


async def test_who_did_it_is_known_by_generation(kernel) -> None:
    kernel.end.send(message(SUBSYSTEM))
    kernel.end.send(generation(7, "firewalld", 612))
    kernel.end.send(generation(8, "nft", 4242))
    kernel.end.send(generation(9, "nft", 4242))
    assert kernel.watch.programs(6, 9) == ("firewalld (612)", "nft (4242)")
    assert kernel.watch.programs(7, 8) == ("nft (4242)",)
    assert kernel.watch.programs(9, 20) == ()


async def test_only_the_last_are_remembered(kernel) -> None:
    for number in range(REMEMBERED * 2):
        kernel.end.send(generation(number, f"p{number}", 1))
        kernel.watch._read()
    assert len(kernel.watch.programs(-1, 10_000)) == REMEMBERED


@pytest.mark.parametrize(
    "octets", [b"x", b"\xff" * 40, generation(1, "nft", 1)[:-9], MESSAGE.pack(3, NEW_GENERATION, 0, 0, 0)]
)
async def test_nonsense_is_a_change_like_any_other(kernel, octets) -> None:
    kernel.end.send(octets)
    await kernel.until(1)


class Overrun:
    """A socket that has lost notifications."""

    def __init__(self) -> None:
        self.said = [OSError(105, "No buffer space available"), generation(3, "nft", 1), BlockingIOError()]

    def recv(self, size: int) -> bytes:
        assert size == BUFFER
        said = self.said.pop(0)
        if isinstance(said, bytes):
            return said
        raise said


async def test_lost_notifications_do_not_stop_the_reading(kernel) -> None:
    real, kernel.watch._socket = kernel.watch._socket, Overrun()
    assert kernel.watch.programs(2, 3) == ("nft (1)",)
    kernel.watch._socket = real


async def test_without_the_right_to_listen_there_is_silence(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(firewall_watch.socket, "socket", refuse)
    watch = FirewallWatch(lambda: None)
    assert watch.programs(0, 10) == ()
    watch.close()
