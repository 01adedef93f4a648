"""An administrator's requests take effect: from a program of FreeRADIUS, and from strangers."""

import asyncio
import socket
import subprocess
import time

import pytest

from holdfast.config import parse
from holdfast.errors import HostError
from holdfast.gateway.radius_dynamic import start_dynamic
from support.pns_client import PnsClient

pytestmark = pytest.mark.asyncio
SECRET = "testing123"


async def listening(world, tmp_path, port: int):
    path = tmp_path / "secrets"
    path.write_text(f"127.0.0.1 {SECRET}\n")
    path.chmod(0o600)
    text = f'[radius]\ndynamic_listen = "127.0.0.1:{port}"\ndynamic_clients = ["127.0.0.1"]\nsecrets_file = "{path}"\n'
    return await start_dynamic(world.gateway, parse(text).config)


async def radclient(port: int, kind: str, text: str) -> str:
    """Send a request with Debian's radclient; returns what it printed."""
    command = ["radclient", "-x", "-r", "1", "-t", "2", f"127.0.0.1:{port}", kind, SECRET]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        input=text + ", Message-Authenticator = 0x00",
        text=True,
        capture_output=True,
        timeout=30,
    )
    return done.stdout + done.stderr


@pytest.mark.root
async def test_a_disconnect_ends_the_session_within_a_second(world, tmp_path, unused_udp_port):
    desk = await listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    (session,) = await world.api.sessions({})
    asked = time.monotonic()
    said = await radclient(unused_udp_port, "disconnect", f'Acct-Session-Id = "{session["id"]}"')
    assert "Disconnect-ACK" in said
    await client.wait(lambda: client.ended is not None)
    assert time.monotonic() - asked < 2
    end = world.named("TEARDOWN")[0]
    assert end["reason"] == "radius_disconnect"
    assert "127.0.0.1" in end["evidence"]
    assert world.named("RADIUS_REQUEST")[0]["answer"] == "ACK"
    assert "Session-Context-Not-Found" in await radclient(unused_udp_port, "disconnect", 'Acct-Session-Id = "gone"')
    desk.close()


@pytest.mark.root
async def test_a_change_holds_at_once_and_says_where_it_came_from(world, tmp_path, unused_udp_port):
    desk = await listening(world, tmp_path, unused_udp_port)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    (session,) = await world.api.sessions({})
    who = f'Acct-Session-Id = "{session["id"]}", User-Name = "alice"'
    assert "CoA-ACK" in await radclient(unused_udp_port, "coa", f"{who}, Session-Timeout = 7200")
    subscriber = next(iter(world.gateway.subscribers.values()))
    settings = {one["key"]: (one["value"], one["origin"]) for one in subscriber.effective.settings()}
    assert settings["session_timeout"] == (7200, "CoA 127.0.0.1: Session-Timeout")
    assert settings["idle_timeout"][1] != "CoA 127.0.0.1: Idle-Timeout"
    assert "Missing-Attribute" in await radclient(unused_udp_port, "coa", who)
    assert world.named("RADIUS_REQUEST")[0]["detail"].endswith("session_timeout=7200: 1 session")
    desk.close()


async def test_a_flood_from_strangers_is_logged_once_and_answered_never(world, tmp_path, unused_udp_port):
    desk = await listening(world, tmp_path, unused_udp_port)
    with socket.socket(type=socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", unused_udp_port))
        for number in range(200):
            stranger.send(bytes((40, number)) + bytes(18))
        await asyncio.sleep(0.2)
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(100)
    (seen,) = world.named("RADIUS_REQUEST")
    assert (seen["request"], seen["answer"]) == ("Disconnect-Request", "")
    desk.close()


async def test_off_by_default_and_a_taken_port_is_said(world, tmp_path, unused_udp_port):
    assert await start_dynamic(world.gateway, parse("").config) is None
    desk = await listening(world, tmp_path, unused_udp_port)
    with pytest.raises(HostError, match="Disconnect"):
        await listening(world, tmp_path, unused_udp_port)
    desk.close()
