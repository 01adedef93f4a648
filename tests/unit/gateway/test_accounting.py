"""Accounting from end to end: what a server gets, and what happens while none is there."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.errors import StateError
from holdfast.events import DynamicRequestSeen
from holdfast.gateway import accounting as module
from holdfast.gateway import accounting_delivery
from holdfast.gateway.accounting import JOURNAL_NAME, NO_COUNTS, QUEUE_NAME, start_accounting
from holdfast.policy import accounting_line
from holdfast.radius.attributes import attribute, write_attributes
from holdfast.radius.codes import Code
from support import freeradius
from support.pns_client import PnsClient
from unit.gateway.test_radius import configuration, serving

pytestmark = pytest.mark.asyncio
ACCEPT = (Code.ACCOUNTING_RESPONSE, [])
KEY = ("Acct-Session-Id", "Acct-Status-Type", "Event-Timestamp")
STATUS = {1: "start", 2: "stop", 3: "update", 7: "on", 8: "off"}


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


class Ledger:
    """An accounting server that can be switched off, and that knows a copy when it sees one."""

    def __init__(self) -> None:
        self.on = True
        self.records: list = []
        self.seen: set = set()

    def __call__(self, request):
        if request.code != Code.ACCOUNTING_REQUEST:
            return ACCEPT if self.on else None
        key = tuple(request.values.octets(name) for name in KEY)
        if self.on and key not in self.seen:
            self.records.append(request.values)
            self.seen.add(key)
        return ACCEPT if self.on else None

    def kinds(self) -> list[str]:
        return [STATUS[values.integer("Acct-Status-Type")] for values in self.records]

    async def has(self, *kinds: str) -> None:
        await until(lambda: self.kinds() == list(kinds))


def accounting(world, directory, port: int):
    more = f'accounting_servers = ["127.0.0.1:{port}"]\n'
    config = configuration(directory, port, more)
    return start_accounting(world.gateway, config, directory, world.log)


def refused(*_arguments, **_options) -> None:
    """In place of a transaction of the queue."""
    raise StateError("the disk takes nothing", where="here")


async def hang_up(world, client) -> None:
    await world.api.disconnect({"user": "alice"})
    await client.wait(lambda: client.ended is not None)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(accounting_line, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(module, "SWEEP", 0.02)
    monkeypatch.setattr(module, "FAREWELL", 0.3)


@pytest.mark.parametrize("world", ["[timeouts]\naccounting_interval = 1.0\n"], indirect=True)
async def test_a_session_from_start_to_stop(world, tmp_path):
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await ledger.has("on", "start", "update")
        await hang_up(world, client)
        await ledger.has("on", "start", "update", "stop")
        await accounts.end()
        assert ledger.kinds()[-1] == "off"
    _, start, _, stop, _ = ledger.records
    session = world.named("TEARDOWN")[0]["session"]
    for values in (start, stop):
        assert values.text("Acct-Session-Id") == session
        assert values.text("User-Name") == "alice"
        assert str(values.address("Framed-IP-Address")) == "10.77.0.10"
        assert values.integer("Tunnel-Type") == 1
    assert stop.integer("Acct-Terminate-Cause") == 6
    assert (stop.integer("Acct-Input-Octets"), stop.integer("Acct-Output-Packets")) == (2, 3)
    assert stop.integer("Acct-Session-Time") >= 0
    assert not accounts._open


async def test_records_wait_for_the_server_and_come_in_order_once(world, tmp_path):
    ledger = Ledger()
    ledger.on = False
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        for _ in range(3):
            client = await PnsClient.dial(world.client_engine, world.port)
            await client.up()
            await hang_up(world, client)
        await until(lambda: world.named("ACCOUNTING_QUEUE"))
        assert world.named("ACCOUNTING_QUEUE")[0]["waiting"] >= 1
        await asyncio.sleep(1.1)  # Acct-Delay-Time counts seconds
        ledger.on = True
        await until(lambda: len(ledger.records) == 7)
        assert ledger.kinds()[0] == "on"
        by_session: dict[str, list[str]] = {}
        for values, kind in zip(ledger.records[1:], ledger.kinds()[1:], strict=True):
            by_session.setdefault(values.text("Acct-Session-Id"), []).append(kind)
        assert by_session == {record["session"]: ["start", "stop"] for record in world.named("TEARDOWN")}
        assert max(values.integer("Acct-Delay-Time") for values in ledger.records) >= 1
        await until(lambda: world.named("ACCOUNTING_QUEUE")[-1]["waiting"] == 0)
        await accounts.end()


async def test_a_record_that_fits_no_packet_does_not_hold_up_the_others(world, tmp_path):
    """Attributes of RADIUS, Class above all, and our own can be more than 4096 octets together."""
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        await ledger.has("on")
        accounts._put(write_attributes([attribute("Class", bytes(253))] * 17), 1000.0)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await ledger.has("on", "start")
        fault = await world.said("INTERNAL_FAULT")
        assert (fault["where"], "ValueError at packet.py" in fault["detail"]) == ("accounting", True)
        await accounts.end()


async def test_a_killed_gateway_leaves_its_stops_to_the_next(world, tmp_path):
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await ledger.has("on", "start")
        await killed(world, accounts)
        successor = accounting(world, tmp_path, port)
        await ledger.has("on", "start", "stop", "on")
        stop = ledger.records[2]
        assert stop.integer("Acct-Terminate-Cause") == 11
        assert stop.text("Acct-Session-Id") == ledger.records[1].text("Acct-Session-Id")
        await successor.end()


async def killed(world, accounts) -> None:
    """Let it go as kill -9 would: without another word."""
    world.log.observers.remove(accounts.observe)
    tasks = [accounts._sweeping, accounts.delivery._work, *accounts.delivery._tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    accounts.delivery._client.close()
    accounts._queue.close()
    accounts._journal.close()


async def test_a_successor_repeats_the_record_under_way_octet_for_octet(world, tmp_path, monkeypatch):
    heard: list = []

    def deaf(request):
        if request.code == Code.ACCOUNTING_REQUEST:
            heard.append(request)

    async with serving(deaf) as (server, port):
        ports: set = set()
        take = server.datagram_received
        server.datagram_received = lambda data, addr: (ports.add(addr[1]), take(data, addr))
        await killed(world, await begun(world, tmp_path, port, heard))
        first, count_before = heard[-1], len(heard)
        successor = accounting(world, tmp_path, port)
        await until(lambda: len(heard) > count_before)
        assert heard[count_before] == first
        assert len(ports) == 1
        await killed(world, successor)
        monkeypatch.setattr(accounting_delivery, "SAME", -1.0)
        await asyncio.sleep(1.1)  # Acct-Delay-Time counts seconds
        late = accounting(world, tmp_path, port)
        count = len(heard)
        await until(lambda: len(heard) > count)
        assert heard[count] != first
        for name in ("Acct-Session-Id", "Acct-Status-Type", "Event-Timestamp"):
            assert heard[count].values.octets(name) == first.values.octets(name)
        await late.end()


async def begun(world, directory, port: int, heard: list):
    accounts = accounting(world, directory, port)
    await until(lambda: heard)
    return accounts


async def test_a_session_is_known_from_the_moment_it_comes_up(world, tmp_path, monkeypatch):
    """Although the disk has taken no transaction since: a kill then loses it all the same not."""
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        await ledger.has("on")

        monkeypatch.setattr(accounts._queue, "write", refused)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await until(lambda: "disk takes nothing" in str(world.named("INTERNAL_FAULT")))
        session = next(iter(world.gateway.subscribers))
        await killed(world, accounts)
        successor = accounting(world, tmp_path, port)
        await ledger.has("on", "start", "stop", "on")
        assert {values.text("Acct-Session-Id") for values in ledger.records[1:3]} == {session}
        assert ledger.records[2].integer("Acct-Terminate-Cause") == 11
        await killed(world, successor)
        third = accounting(world, tmp_path, port)
        await ledger.has("on", "start", "stop", "on", "on")
        await third.end()


@pytest.mark.parametrize("when", ["before it came up", "before it ended"])
async def test_an_end_is_known_from_the_moment_it_came(world, tmp_path, monkeypatch, when):
    """With its counts and its reason, although a kill comes before the disk has taken it."""
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        await ledger.has("on")

        if when == "before it came up":
            monkeypatch.setattr(accounts._queue, "write", refused)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        if when == "before it ended":
            await ledger.has("on", "start")
            monkeypatch.setattr(accounts._queue, "write", refused)
        await hang_up(world, client)
        ended = await world.said("TEARDOWN")
        await killed(world, accounts)
        successor = accounting(world, tmp_path, port)
        await ledger.has("on", "start", "stop", "on")
        stop = ledger.records[2]
        assert stop.text("Acct-Session-Id") == ended["session"]
        assert stop.integer("Acct-Terminate-Cause") == 6  # Admin Reset, and not NAS-Reboot
        assert stop.integer("Acct-Input-Octets") == ended["bytes_in"]
        await killed(world, successor)
        third = accounting(world, tmp_path, port)
        await ledger.has("on", "start", "stop", "on", "on")
        await third.end()


async def test_a_change_of_authorization_changes_the_interval_at_once(world, tmp_path):
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await ledger.has("on", "start")
        (subscriber,) = world.gateway.subscribers.values()
        subscriber.effective = replace(
            subscriber.effective, policy=replace(subscriber.effective.policy, accounting_interval=0.1)
        )
        world.gateway.report(DynamicRequestSeen("192.0.2.1", "CoA-Request", "CoA-ACK", ""), {})
        await until(lambda: ledger.kinds().count("update") == 2)
        await accounts.end()


async def test_a_journal_beside_a_new_queue_is_not_believed(world, tmp_path):
    """Who takes the queue away wants no more of it; the journal's sessions were accounted long ago."""
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await hang_up(world, client)
        await accounts.end()
        assert (tmp_path / JOURNAL_NAME).stat().st_size
        (tmp_path / QUEUE_NAME).unlink()
        ledger.records.clear()
        await accounting(world, tmp_path, port).end()
        assert ledger.kinds() == ["on", "off"]


async def test_a_record_that_nobody_takes_holds_up_its_own_session_only(world, tmp_path, monkeypatch):
    monkeypatch.setattr(accounting_line, "FIRST_REST", 0.1)
    monkeypatch.setattr(accounting_line, "LONGEST_REST", 0.2)
    ledger, sick = Ledger(), True
    bad: list[str] = []

    def picky(request):
        values = request.values
        if request.code != Code.ACCOUNTING_REQUEST:
            return ACCEPT  # Status-Server: it lives
        if values.integer("Acct-Status-Type") == 1 and not bad:
            bad.append(values.text("Acct-Session-Id"))
        if sick and values.integer("Acct-Status-Type") == 1 and values.text("Acct-Session-Id") in bad:
            return None
        return ledger(request)

    async with serving(picky) as (_, port):
        accounts = accounting(world, tmp_path, port)
        for _ in range(2):
            client = await PnsClient.dial(world.client_engine, world.port)
            await client.up()
            await hang_up(world, client)
            await until(lambda: bad)
        await ledger.has("on", "start", "stop")
        assert {values.text("Acct-Session-Id") for values in ledger.records[1:]}.isdisjoint(bad)
        told = await world.said("ACCOUNTING_ASIDE", 60)
        assert (told["session"], told["kind"], told["aside"]) == (bad[0], "Start", 1)
        assert len(accounts.delivery) == 2
        sick = False
        await ledger.has("on", "start", "stop", "start", "stop")
        assert [values.text("Acct-Session-Id") for values in ledger.records[3:]] == bad * 2
        await accounts.end()


@pytest.mark.parametrize("world", ["[timeouts]\naccounting_interval = 0.1\n"], indirect=True)
async def test_no_two_records_of_a_session_are_the_same_to_a_server(world, tmp_path):
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await until(lambda: ledger.kinds().count("update") == 2)
        await accounts.end()
    keys = [
        tuple(values.octets(name) for name in ("Acct-Session-Id", "Acct-Status-Type", "Event-Timestamp"))
        for values in ledger.records
    ]
    assert len(set(keys)) == len(keys)


async def test_a_killed_gateway_leaves_the_counts_it_noted_last(world, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "NOTE", 0.05)
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        world.counts(bytes_in=5_000_000_000, packets_out=7)
        await until(lambda: [one for one in accounts._queue.leftovers() if one.last != NO_COUNTS])
        await killed(world, accounts)
        successor = accounting(world, tmp_path, port)
        await until(lambda: "stop" in ledger.kinds())
        stop = ledger.records[ledger.kinds().index("stop")]
        assert stop.integer("Acct-Input-Gigawords") == 1
        assert stop.integer("Acct-Input-Octets") == 5_000_000_000 - (1 << 32)
        assert stop.integer("Acct-Output-Packets") == 7
        await successor.end()


async def test_a_full_queue_is_told(world, tmp_path):
    ledger = Ledger()
    ledger.on = False
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        accounts._queue.limit = 1
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await until(lambda: any("given up" in one["detail"] for one in world.named("ACCOUNTING_QUEUE")))
        await accounts.end()


async def test_what_is_not_delivered_at_the_end_goes_out_at_the_next_start(world, tmp_path):
    ledger = Ledger()
    ledger.on = False
    async with serving(ledger) as (_, port):
        await accounting(world, tmp_path, port).end()
        ledger.on = True
        successor = accounting(world, tmp_path, port)
        await ledger.has("on", "off", "on")
        await successor.end()


async def test_sessions_that_never_came_up_are_not_accounted(world, tmp_path):
    ledger = Ledger()
    async with serving(ledger) as (_, port):
        accounts = accounting(world, tmp_path, port)
        client = await PnsClient.dial(world.client_engine, world.port, password="guess")
        await client.wait(lambda: client.ended is not None, 15)
        await accounts.end()
        assert ledger.kinds() == ["on", "off"]


@pytest.mark.root
async def test_freeradius_writes_it_down(world, tmp_path):
    with freeradius.running(tmp_path / "radius") as server:
        accounts = accounting(world, tmp_path, server.accounting)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        await hang_up(world, client)
        await accounts.end()
        records = server.detail()
    assert [one["Acct-Status-Type"] for one in records] == ["Accounting-On", "Start", "Stop", "Accounting-Off"]
    assert records[2]["Acct-Terminate-Cause"] == "Admin-Reset"
    assert records[2]["Acct-Input-Octets"] == "2"
    assert records[1]["Tunnel-Client-Endpoint:0"] == "127.0.0.1"
