"""A session that fails leaves a capture, and its last line says where."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast.config import parse
from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.errors import HoldfastError
from holdfast.gateway.recording import recorder_from
from holdfast.observe.event_log import EventLog
from support.pns_client import PnsClient

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


async def ended(world, client=None) -> dict:
    async with asyncio.timeout(60):
        while not world.named("TEARDOWN"):
            if client is not None:
                client.poll()
            await asyncio.sleep(0.01)
    return world.named("TEARDOWN")[0]


def recording(world, tmp_path: Path, text: str = "") -> None:
    world.gateway.recorder = recorder_from(parse(text).config, tmp_path, world.log)


def tshark(path: str, *arguments: str) -> list[str]:
    command = ["tshark", "-r", path, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()


@needs_tshark
@pytest.mark.asyncio
async def test_a_wrong_password_leaves_a_capture_without_it(world, tmp_path):
    recording(world, tmp_path)
    client = await PnsClient.dial(world.client_engine, world.port, password="guess")
    end = await ended(world, client)
    world.gateway.recorder.close()
    assert end["reason"] == "auth_failed"
    path = tmp_path / "captures" / f"{end['session']}.pcapng"
    assert end["capture"] == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    texts = tshark(str(path), "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info")
    everything = "\n".join(texts)
    for expected in ("Start-Control-Connection-Request", "Outgoing-Call-Reply", "PPP LCP", "Response", "Failure"):
        assert expected in everything
    assert "Malformed" not in everything
    responses = tshark(str(path), "-Y", "chap.code == 2", "-T", "fields", "-e", "chap.value", "-e", "chap.name")
    assert responses
    assert all(set(line.split("\t")[0]) == {"0"} and line.endswith("alice") for line in responses)
    checked = ("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")
    assert not tshark(str(path), "-Y", 'ip.checksum.status == "Bad" or tcp.checksum.status == "Bad"', *checked)
    comments = path.read_bytes()
    assert b"ended: auth_failed: " in comments
    assert b"secrets were replaced by zeros" in comments


@pytest.mark.asyncio
async def test_an_end_that_was_wanted_leaves_none(world, tmp_path):
    recording(world, tmp_path)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    await world.api.disconnect({"user": "alice"})
    assert (await ended(world, client))["capture"] == ""
    world.gateway.recorder.close()
    assert not (tmp_path / "captures").exists()


@pytest.mark.parametrize(("text", "kept"), [("", True), ("[recorder]\nenabled = false\n", False)])
@pytest.mark.asyncio
async def test_silence_leaves_one_unless_switched_off(world, tmp_path, text, kept):
    recording(world, tmp_path, text)
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    world.engine.tell(Upcall(UpcallKind.DEAD, next(iter(world.engine.calls)), value=3))
    assert bool((await ended(world))["capture"]) == kept
    world.gateway.recorder.close()
    assert len(list(tmp_path.glob("captures/*.pcapng"))) == kept
    await client.wait(lambda: client.ended is not None)


def test_a_capture_that_cannot_be_written_is_said(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    seen: list[dict] = []
    log.listeners.append(seen.append)
    recorder = recorder_from(parse("").config, tmp_path, log)
    recorder._failed("no room")
    log.close()
    assert [(record["event"], record["detail"]) for record in seen] == [("CAPTURE_FAILED", "no room")]


@pytest.mark.asyncio
async def test_a_live_capture_is_told_what_to_look_for_and_noted(world):
    client = await PnsClient.dial(world.client_engine, world.port)
    await client.up()
    (session,) = await world.api.sessions({})
    found = await world.api.record({"session": session["id"][-6:], "full": True})
    assert found["id"] == session["id"]
    assert (found["client_ip"], found["local_call_id"]) == ("127.0.0.1", session["local_call_id"])
    assert world.named("ADMIN")[0]["action"] == "record with user packets"
    with pytest.raises(HoldfastError, match="no such session"):
        await world.api.record({"session": "zzz"})
