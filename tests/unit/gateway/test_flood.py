"""Ten thousand connections that say nothing."""

import asyncio
import resource
import sys

import pytest

from holdfast.config.model import GatewaySection
from support import silent_clients
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio

SILENT = 10_000
SETUP_TIMEOUT = 250.0
"""Seconds; more than any machine takes to let them all come."""


@pytest.fixture
def many_files():
    """Room for all of the gateway's ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < SILENT + 500:
        pytest.skip(f"needs {SILENT + 500} open files, the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (SILENT + 500, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def until(condition, seconds):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("world", [f"[gateway]\nsetup_timeout = {SETUP_TIMEOUT}\n"], indirect=True)
async def test_ten_thousand_silent_connections_keep_no_real_client_out_and_are_closed(world, many_files, monkeypatch):
    """The clock leaps when all are there: so nothing depends on how fast the machine is."""
    assert GatewaySection().setup_timeout == 10.0, "what a configuration that does not say it has"
    arguments = (silent_clients.__file__, str(world.port), str(SILENT))
    crowd = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await asyncio.wait_for(crowd.stdout.readline(), 60) == b"ready\n"
        await until(lambda: len(world.named("CONNECT")) == SILENT, 120)
        crowded = len(world.gateway.connections)
        client = await PnsClient.dial(world.client_engine, world.port)
        await client.up()
        assert crowded == SILENT, "all of them are there while a real client comes"
        early = world.named("CONTROL_CLOSED")
        time = world.gateway.loop.time
        monkeypatch.setattr(world.gateway.loop, "time", lambda: time() + SETUP_TIMEOUT)
        await until(lambda: len(world.gateway.connections) == 1, 120)
        assert client.session.state == "up"
        assert early == [], "nobody is closed before the time"
        closed = [(one["reason"], one["detail"]) for one in world.named("CONTROL_CLOSED")]
        why = f"no Start-Control-Connection exchange within {SETUP_TIMEOUT:g} s"
        assert closed == [("negotiation_failed", why)] * SILENT
    finally:
        crowd.stdin.close()
        await crowd.wait()
