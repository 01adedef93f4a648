"""An administrator's requests take effect: from a program of FreeRADIUS, and from strangers."""

import asyncio
import socket
import subprocess
import time
from collections import Counter

import pytest

from holdfast.config import parse
from holdfast.errors import HostError
from holdfast.gateway import radius_dynamic
from holdfast.gateway.answering_socket import Asker
from holdfast.gateway.radius_dynamic import start_dynamic
from holdfast.secret import Secret
from support.fake_host import host_of
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio
SECRET = "testing123"


def listening(world, tmp_path, port: int):
    path = tmp_path / "secrets"
    path.write_text(f"127.0.0.1 {SECRET}\n")
    path.chmod(0o600)
    text = f'[radius]\ndynamic_listen = "127.0.0.1:{port}"\ndynamic_clients = ["127.0.0.1"]\nsecrets_file = "{path}"\n'
    return start_dynamic(world.gateway, parse(text).config)


async def radclient(port: int, kind: str, text: str) -> str:
    """Send a request with Debian's radclient; returns what it printed."""
    command = ["radclient", "-x", "-r", "1", "-t", "60", f"127.0.0.1:{port}", kind, SECRET]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        input=text + ", Message-Authenticator = 0x00",
        text=True,
        capture_output=True,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.root
async def test_a_disconnect_ends_the_session(world, tmp_path, unused_udp_port):
    desk = listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    (session,) = await world.api.sessions({})
    said = await radclient(unused_udp_port, "disconnect", f'Acct-Session-Id = "{session["id"]}"')
    assert "Received Disconnect-ACK" in said
    # The client has not been asked to look at anything yet: its traffic has ended all the same.
    (call,) = world.engine.calls.values()
    assert (world.only().session.state, call.addresses) == ("closing", ())
    await client.wait(lambda: client.ended is not None)
    end = world.named("TEARDOWN")[0]
    assert end["reason"] == "radius_disconnect"
    assert "127.0.0.1" in end["evidence"]
    assert world.named("RADIUS_REQUEST")[0]["answer"] == "ACK"
    assert "Session-Context-Not-Found" in await radclient(unused_udp_port, "disconnect", 'Acct-Session-Id = "gone"')
    desk.close()


@pytest.mark.root
async def test_another_gateways_session_is_not_ours(world, tmp_path, unused_udp_port):
    desk = listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    who = f'User-Name = "alice", Event-Timestamp = {int(time.time())}'
    said = await radclient(unused_udp_port, "disconnect", f"{who}, NAS-IP-Address = 192.0.2.200")
    assert "NAS-Identification-Mismatch" in said
    assert world.only()
    desk.close()


@pytest.mark.root
async def test_a_change_holds_at_once_and_says_where_it_came_from(world, tmp_path, unused_udp_port):
    desk = listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    (session,) = await world.api.sessions({})
    who = f'Acct-Session-Id = "{session["id"]}", User-Name = "alice"'
    assert "Received CoA-ACK" in await radclient(unused_udp_port, "coa", f"{who}, Session-Timeout = 7200")
    subscriber = next(iter(world.gateway.subscribers.values()))
    settings = {one["key"]: (one["value"], one["origin"]) for one in subscriber.effective.settings()}
    assert settings["session_timeout"] == (7200, "CoA 127.0.0.1: Session-Timeout")
    assert settings["idle_timeout"][1] != "CoA 127.0.0.1: Idle-Timeout"
    assert "Missing-Attribute" in await radclient(unused_udp_port, "coa", who)
    assert world.named("RADIUS_REQUEST")[0]["detail"].endswith("session_timeout=7200: 1 session")
    desk.close()


FILTERS = """
[filters.guests]
rules = ["allow udp 53"]
[filters.staff]
rules = ["allow any"]
"""


@pytest.mark.root
@pytest.mark.parametrize("world", [FILTERS], indirect=True)
async def test_filters_and_rates_of_a_running_session_change(world, tmp_path, unused_udp_port):
    host = host_of(world)
    world.users.set_policy("alice", settings={"filter": "guests"})
    desk = listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    change = "WISPr-Bandwidth-Max-Up = 1000000, WISPr-Bandwidth-Max-Down = 2000000"
    who = f'Acct-Session-Id = "{world.only().session.session_id}"'
    said = await radclient(unused_udp_port, "coa", f'{who}, Filter-Id = "staff", {change}')
    assert "Received CoA-ACK" in said
    assert host.done[-2:] == ["delete filter0 10.77.0.10", "add filter1 10.77.0.10"]
    (call,) = world.engine.calls.values()
    assert call.rates == (1_000_000, 2_000_000)
    policy = world.only().effective.policy
    assert (policy.filter, policy.rate_up, policy.rate_down) == ("staff", 1_000_000, 2_000_000)
    desk.close()


@pytest.mark.root
@pytest.mark.parametrize("world", [FILTERS], indirect=True)
@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ('Filter-Id = "nobody"', "Invalid-Attribute-Value"),
        ('Session-Timeout = 60, Callback-Number = "5"', "Unsupported-Attribute"),
        ("Framed-IP-Netmask = 255.255.255.0", "Unsupported-Attribute"),
    ],
)
async def test_what_cannot_be_changed_is_refused_as_a_whole(world, tmp_path, unused_udp_port, change, cause):
    host_of(world)
    desk = listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    before = world.only().effective
    who = f'Acct-Session-Id = "{world.only().session.session_id}"'
    assert f"Error-Cause = {cause}" in await radclient(unused_udp_port, "coa", f"{who}, {change}")
    assert world.only().effective is before
    desk.close()


async def test_a_flood_from_strangers_is_logged_once_and_answered_never(world, tmp_path, unused_udp_port):
    desk = listening(world, tmp_path, unused_udp_port)
    with socket.socket(type=socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", unused_udp_port))
        for number in range(200):
            stranger.send(bytes((40, number)) + bytes(18))
        await asyncio.sleep(0.2)
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(100)
        (seen,) = world.named("RADIUS_REQUEST")
        assert (seen["request"], seen["answer"], seen["times"]) == ("Disconnect-Request", "", 1)
    desk.close()


def strange(desk, source: str) -> None:
    desk.take(bytes((43, 1)) + bytes(18), Asker((source, 4000), bytes(4)))


async def test_a_flood_is_counted_to_the_last_and_fills_no_log_from_however_many_addresses(
    world, tmp_path, unused_udp_port, monkeypatch
):
    monkeypatch.setattr(radius_dynamic, "COMPLAINT_INTERVAL", 0.5)
    monkeypatch.setattr(radius_dynamic, "SOURCES", 10)
    desk = listening(world, tmp_path, unused_udp_port)
    for number in range(200):
        strange(desk, f"198.51.100.{number}")
        strange(desk, "198.51.100.0")
    assert len(world.named("RADIUS_REQUEST")) == 11
    async with asyncio.timeout(60):
        while sum(one["times"] for one in world.named("RADIUS_REQUEST")) < 400:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        while desk._complaints:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    told = Counter[str]()
    for one in world.named("RADIUS_REQUEST"):
        told["others" if "too many sources" in one["detail"] else one["source"]] += one["times"]
    assert told == {"198.51.100.0": 201, "others": 190, **{f"198.51.100.{number}": 1 for number in range(1, 10)}}
    assert len(world.named("RADIUS_REQUEST")) == 13
    desk.close()


async def test_off_by_default_and_a_taken_port_is_said(world, tmp_path, unused_udp_port):
    assert start_dynamic(world.gateway, parse("").config) is None
    desk = listening(world, tmp_path, unused_udp_port)
    with pytest.raises(HostError, match="Disconnect"):
        listening(world, tmp_path, unused_udp_port)
    desk.close()


@pytest.mark.root
async def test_what_happens_at_the_end_of_the_time_may_change(world, tmp_path, unused_udp_port):
    desk = listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    who = f'Acct-Session-Id = "{world.only().session.session_id}"'
    change = f"{who}, Session-Timeout = 7200, Termination-Action = RADIUS-Request"
    assert "Received CoA-ACK" in await radclient(unused_udp_port, "coa", change)
    (end,) = world.gateway.patrol.ends_of_time(world.only(), world.gateway.now())
    assert end.renewable
    back = await radclient(unused_udp_port, "coa", f"{who}, Termination-Action = Default")
    assert "Received CoA-ACK" in back
    assert not world.only().policy.reauthenticate
    assert world.only().policy.session_timeout == 7200
    odd = await radclient(unused_udp_port, "coa", f"{who}, Session-Timeout = 60, Termination-Action = 7")
    assert "Invalid-Attribute-Value" in odd
    assert world.only().policy.session_timeout == 7200
    desk.close()


@pytest.mark.root
async def test_a_name_is_found_however_its_accents_are_composed(world, tmp_path, unused_udp_port):
    desk = listening(world, tmp_path, unused_udp_port)
    world.users.add("jos\u00e9", Secret.from_text("secret"))
    client = await PnsClient.dial(world.client_engine, world.port, "jose\u0301")
    await client.up()
    assert "Received CoA-ACK" in await radclient(
        unused_udp_port,
        "coa",
        'User-Name = "jose\u0301", Session-Timeout = 7200, ' + f"Event-Timestamp = {int(time.time())}",
    )
    (ended,) = await world.api.disconnect({"user": "jose\u0301"})
    assert ended["user"] == "jos\u00e9"
    desk.close()


@pytest.mark.root
async def test_a_fault_of_ours_is_answered_and_told(world, tmp_path, unused_udp_port, monkeypatch):
    desk = listening(world, tmp_path, unused_udp_port)
    monkeypatch.setattr(type(desk), "_obey", lambda *_: _broken())
    said = await radclient(unused_udp_port, "disconnect", 'Acct-Session-Id = "any"')
    assert "Resources-Unavailable" in said
    assert world.named("INTERNAL_FAULT")[0]["where"] == "dynamic authorization"
    desk.close()


async def _broken() -> None:
    raise KeyError
