"""A gateway on loopback with engines in memory: no rights needed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio

from holdfast.config import LoadedConfig, load
from holdfast.gateway.api import GatewayApi
from holdfast.gateway.connection import ControlConnection
from holdfast.gateway.gateway import Gateway, Means
from holdfast.gateway.operation_api import OperationApi
from holdfast.gateway.reload import Reloader
from holdfast.gateway.service import BACKLOG
from holdfast.gateway.settings import settings_from
from holdfast.gateway.subscriber import Subscriber
from holdfast.observe.event_log import EventLog
from holdfast.policy.addresses import AddressPool, PoolRules
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.session_records import SessionRecords
from holdfast.policy.store import Store
from holdfast.policy.users import Users
from holdfast.secret import Secret
from support.fake_engine import FakeEngine
from support.log_schema import fits
from support.pns_client import Crowd


class World:
    """One gateway with everything around it."""

    def __init__(self, directory: Path, loaded: LoadedConfig) -> None:
        config = loaded.config
        self.store = Store.open(directory / "state")
        self.users = Users(self.store)
        self.users.add("alice", Secret.from_text("secret"))
        self.engine, self.client_engine = FakeEngine(), FakeEngine()
        self.engine.join(self.client_engine)
        self.log = EventLog(directory / "events.jsonl")
        self.records: list[dict] = []
        self.log.listeners.append(self.records.append)
        named = {name: pool.ranges for name, pool in config.pools.items()}
        rules = PoolRules(config.addresses.pool, never=(config.addresses.gateway,), named=named)
        self.pool = AddressPool(rules, self.store)
        self.session_records = SessionRecords(self.store)
        means = Means(self.engine, Authenticator([self.users]), self.pool, self.session_records, self.log)
        self.gateway = Gateway(settings_from(loaded, ("192.0.2.53",)), means)
        self.reloader = Reloader(loaded, self.gateway, self.log, ("192.0.2.53",))
        self.operation = OperationApi(self.gateway, self.reloader)
        self.port = 0

    async def start(self) -> None:
        server = await self.gateway.loop.create_server(
            lambda: ControlConnection(self.gateway), "127.0.0.1", 0, backlog=BACKLOG
        )
        self.port = server.sockets[0].getsockname()[1]
        self.api = GatewayApi(self.gateway, self.engine, (f"127.0.0.1:{self.port}",))
        await self.gateway.start([server])

    async def stop(self) -> None:
        await self.gateway.stop(1.0)
        self.engine.close()
        self.client_engine.close()
        self.log.close()
        self.store.close()

    def named(self, event: str) -> list[dict]:
        """Return the records of one event."""
        return [record for record in self.records if record["event"] == event]

    def counts(self, **changes) -> None:
        """Let the engine count so for every call."""
        for call in self.engine.calls.values():
            call.counters = replace(call.counters, **changes)

    def only(self) -> Subscriber:
        """Return the one session."""
        (subscriber,) = self.gateway.subscribers.values()
        return subscriber

    async def said(self, event: str, seconds: float = 60.0) -> dict:
        """Wait for an event and return its first record."""
        async with asyncio.timeout(seconds):
            while not self.named(event):  # noqa: ASYNC110 - the log tells nobody
                await asyncio.sleep(0.005)
        return self.named(event)[0]

    def nothing_left(self) -> bool:
        """Whether no session holds anything any more."""
        gateway, leftovers = self.gateway, self.session_records.leftovers()
        counted = gateway.door.admission.state()
        held = (len(gateway._call_ids), len(gateway._by_handle), len(gateway.logins._by_user))
        kept = (self.engine.calls, gateway.subscribers, len(self.pool), leftovers)
        return not (any(kept) or any(held) or counted["sessions"] or counted["half_open"])


@pytest_asyncio.fixture
async def world(tmp_path: Path, request) -> AsyncIterator[World]:
    """A gateway that runs; parametrise indirectly with TOML text."""
    file = tmp_path / "h.toml"
    file.write_text(getattr(request, "param", ""))
    world = World(tmp_path, load(file))
    world.file = file
    await world.start()
    yield world
    with contextlib.suppress(asyncio.TimeoutError):
        await world.stop()
    for line in (tmp_path / "events.jsonl").read_text().splitlines():
        assert not fits(json.loads(line)), line


@pytest_asyncio.fixture
async def crowd(world: World) -> AsyncIterator[Crowd]:
    """Clients of that gateway."""
    crowd = Crowd(world.client_engine, world.port)
    yield crowd
    await crowd.close()
