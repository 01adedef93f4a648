"""Name servers reach the client: DNS and NetBIOS, both of each (RFC 1877)."""

import pytest

from holdfast.ppp.config import IpcpConfig
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio

SERVERS = '[addresses]\ndns = ["10.77.0.1", "10.77.0.2"]\nwins = ["10.77.0.3", "10.77.0.4"]\n'


@pytest.mark.parametrize("world", [SERVERS], indirect=True)
async def test_both_pairs_arrive(world):
    asking = IpcpConfig(assigns=False, ask_dns=True, ask_wins=True)
    client = await PnsClient.dial(world.client_engine, world.port, ipcp=asking)
    await client.up()
    status = client.session.status()
    assert (status["dns"], status["wins"]) == (["10.77.0.1", "10.77.0.2"], ["10.77.0.3", "10.77.0.4"])


@pytest.mark.parametrize("world", ["[addresses]\ndns = []\n"], indirect=True)
async def test_without_any_the_client_comes_up_all_the_same(world):
    asking = IpcpConfig(assigns=False, ask_dns=True, ask_wins=True)
    client = await PnsClient.dial(world.client_engine, world.port, ipcp=asking)
    await client.up()
    assert (client.session.status()["dns"], client.session.status()["wins"]) == ([], [])
