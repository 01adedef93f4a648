"""What is on disk before it is sent, and what a disk costs that is slow or full."""

import asyncio
import errno
import secrets
import sqlite3
import threading
import time

import pytest

from holdfast.errors import StateError
from holdfast.events import AccountingQueued, InternalFault, RadiusServerDown
from holdfast.gateway import accounting_delivery as module
from holdfast.gateway import radius_client
from holdfast.gateway.accounting_delivery import Delivery
from holdfast.gateway.radius_client import RadiusClient
from holdfast.policy.accounting_changes import Waiting
from holdfast.policy.accounting_queue import AccountingQueue
from holdfast.policy.accounting_records import of_kind
from holdfast.radius.attributes import attribute, write_attributes
from holdfast.radius.codes import AcctStatus, Code
from holdfast.radius.exchange_types import ExchangeConfig, ServerConfig
from holdfast.secret import Secret
from support.freeradius import SECRET
from unit.gateway.test_radius import serving

pytestmark = pytest.mark.asyncio
ACCEPT = (Code.ACCOUNTING_RESPONSE, [])


class Scene:
    """A delivery with its queue, a server that takes everything, and what was reported."""

    def __init__(self, path, port: int, limit: int = 1000) -> None:
        self.path, self.events, self.told = path, [], []
        self.queue = AccountingQueue(path, limit)
        server = {("127.0.0.1", port): ServerConfig("s", Secret.from_text(SECRET))}
        times = ExchangeConfig(0.2, patience=2.0)
        self.client = RadiusClient(server, times, secrets.token_bytes, self.told.append)
        loop = asyncio.get_running_loop()
        report = lambda event, _context: self.events.append(event)  # noqa: E731
        self.delivery = Delivery(self.queue, self.client, report, loop.time, time.time)

    @staticmethod
    def taking(asked: list):
        """Answer everything, and put down what is no Status-Server."""
        return lambda request: (request.code == Code.ACCOUNTING_REQUEST and asked.append(request)) or ACCEPT

    def put(self, session: str, status: AcctStatus = AcctStatus.START) -> None:
        octets = of_kind(status) + write_attributes([attribute("Acct-Session-Id", session)])
        update = status is AcctStatus.INTERIM_UPDATE
        self.delivery.put(Waiting(self.delivery.next_number(), time.time(), octets, session, update))

    async def all_went(self) -> None:
        await self.becomes(lambda: not len(self.delivery))

    @staticmethod
    async def becomes(condition) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)


async def test_nothing_leaves_before_it_is_on_disk_as_it_leaves(tmp_path):
    path, seen = tmp_path / "a.db", []

    def take(request):
        if request.code != Code.ACCOUNTING_REQUEST:
            return ACCEPT
        with sqlite3.connect(path) as disk:
            launched = [octets for (octets,) in disk.execute("SELECT octets FROM launched")]
        disk.close()
        seen.append(any(octets[4:20] == request.authenticator for octets in launched))
        return ACCEPT

    async with serving(take) as (_, port):
        scene = Scene(path, port)
        scene.delivery.begin()
        for number in range(40):
            scene.put(f"s{number % 25}")
        await scene.all_went()
        await scene.delivery.end(1.0)
    assert len(seen) >= 40
    assert all(seen)


async def test_a_slow_disk_holds_up_the_records_and_nothing_else(tmp_path, monkeypatch):
    asked, gate = [], threading.Event()
    async with serving(Scene.taking(asked)) as (_, port):
        scene = Scene(tmp_path / "a.db", port)
        write = scene.queue.write

        def slowly(*arguments, **options):
            gate.wait(60)
            return write(*arguments, **options)

        monkeypatch.setattr(scene.queue, "write", slowly)
        scene.delivery.begin()
        scene.put("s1")
        await asyncio.sleep(3)  # the loop turns, and the repetitions of a request that has not left are held too
        assert not asked
        assert not scene.delivery._line.deadline, "it is not the server that takes nothing"
        assert len(scene.delivery) == 1
        gate.set()
        await scene.all_went()
        await scene.delivery.end(1.0)
    assert len({request.authenticator for request in asked}) == 1


async def test_a_host_without_a_way_waits_and_says_so(tmp_path, monkeypatch):
    asked, asking, connected, way = [], [], radius_client._connected, False

    def connect(address, port):
        if not way:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        return connected(address, port)

    monkeypatch.setattr(radius_client, "_connected", connect)
    async with serving(Scene.taking(asked)) as (_, port):
        scene = Scene(tmp_path / "a.db", port)
        ask = scene.client.ask
        monkeypatch.setattr(scene.client, "ask", lambda *arguments: asking.append(1) or ask(*arguments))
        scene.delivery.begin()
        for number in range(5):
            scene.put(f"s{number}")
        await scene.becomes(lambda: any(isinstance(event, AccountingQueued) for event in scene.events))
        await asyncio.sleep(1.0)
        assert len(asking) < 200, "rounds have pauses between them"
        assert any(isinstance(one, RadiusServerDown) and "Network is unreach" in one.detail for one in scene.told)
        way = True
        await scene.all_went()
        await scene.delivery.end(1.0)
    assert len({request.values.text("Acct-Session-Id") for request in asked}) == 5


async def test_a_disk_that_refuses_is_told_once_and_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RETRY", 0.05)
    asked, full = [], True
    async with serving(Scene.taking(asked)) as (_, port):
        scene = Scene(tmp_path / "a.db", port)
        write = scene.queue.write

        def refuse(*arguments, **options):
            if full:
                raise StateError("database or disk is full", where="a.db")
            return write(*arguments, **options)

        monkeypatch.setattr(scene.queue, "write", refuse)
        scene.delivery.begin()
        for number in range(5):
            scene.put(f"s{number}")
            await asyncio.sleep(0.1)
        assert not asked
        assert [type(event) for event in scene.events] == [InternalFault]
        full = False
        await scene.all_went()
        await scene.delivery.end(1.0)
    assert len(asked) == 5


async def test_memory_is_bounded_while_the_disk_refuses(tmp_path, monkeypatch):
    async with serving(lambda _request: ACCEPT) as (_, port):
        scene = Scene(tmp_path / "a.db", port, limit=3)
        for session in ("a", "b"):
            scene.put(session, AcctStatus.INTERIM_UPDATE)
        for session in ("c", "d", "e"):
            scene.put(session)
        assert [one.session for one in scene.delivery.changes.added.values()] == ["c", "d", "e"]
        scene.put("f", AcctStatus.INTERIM_UPDATE)
        scene.put("g")
        assert len(scene.delivery.changes.added) == 3
        assert any(isinstance(event, AccountingQueued) and "given up" in event.detail for event in scene.events)
        scene.delivery.begin()
        await scene.all_went()
        await scene.delivery.end(1.0)


async def test_more_than_memory_holds_goes_out_all_the_same(tmp_path):
    asked: list = []
    async with serving(Scene.taking(asked)) as (_, port):
        scene = Scene(tmp_path / "a.db", port, limit=10_000)
        for number in range(900):
            scene.put(f"s{number % 300}", AcctStatus.INTERIM_UPDATE)
        scene.delivery.begin()
        await scene.all_went()
        await scene.delivery.end(1.0)
    assert {request.values.text("Acct-Session-Id") for request in asked} == {f"s{number}" for number in range(300)}
    assert len(asked) >= 900


async def test_the_end_leaves_on_disk_what_did_not_go_out(tmp_path):
    async with serving(lambda _request: None) as (_, port):
        scene = Scene(tmp_path / "a.db", port)
        scene.delivery.begin()
        for number in range(300):
            scene.put(f"s{number}")
            scene.delivery.changes.close(f"s{number}")
        await scene.delivery.end(0.0)
        again = AccountingQueue(tmp_path / "a.db", 1000)
        assert len(again) == 300
        again.close()
