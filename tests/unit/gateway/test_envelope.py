"""What a session's last line tells."""

import asyncio
import json

import pytest

from holdfast.errors import DisconnectReason
from holdfast.observe.envelope import PHASES
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio


async def test_the_end_of_a_session_tells_everything_about_it(world, tmp_path):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    client.session.close(DisconnectReason.USER_REQUEST, "enough", asyncio.get_running_loop().time())
    client.drive_session()
    await client.wait(lambda: client.ended is not None)
    async with asyncio.timeout(60):
        while not world.named("TEARDOWN"):
            client.poll()
            await asyncio.sleep(0.005)
    world.log.request(lambda file: file.flush()).result(10)
    text = (tmp_path / "events.jsonl").read_text()
    (end,) = [line for line in map(json.loads, text.splitlines()) if line["event"] == "TEARDOWN"]
    assert (end["client_ip"], end["gre_ip"], end["server_ip"], end["interface"]) == ("127.0.0.1",) * 3 + ("lo",)
    assert (end["user"], end["method"], end["result_code"]) == ("alice", "ms-chap-v2", 0)
    assert (end["mppe_bits"], end["mppe_mode"], end["address"]) == (128, "stateless", "10.77.0.10")
    assert end["local_mru"] == 1400
    assert end["correlation"].startswith("1:")
    assert {*PHASES.values(), "ttl", "local_call_id", "peer_call_id", "session", "connection"} <= {*end}
    assert 0 < sum(end[phase] for phase in PHASES.values()) < 10
