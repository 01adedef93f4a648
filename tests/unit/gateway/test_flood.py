"""Ten thousand connections that say nothing."""

import asyncio
import resource
import sys

import pytest

from support import silent_clients
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio

SILENT = 10_000


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


@pytest.mark.parametrize("world", ["[gateway]\nsetup_timeout = 250.0\n"], indirect=True)
async def test_ten_thousand_silent_connections_keep_no_real_client_out(world, many_files):
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
        crowd.stdin.close()
        await until(lambda: len(world.gateway.connections) == 1, 120)
        assert client.session.state == "up"
    finally:
        crowd.stdin.close()
        await crowd.wait()
