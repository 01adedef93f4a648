"""The control socket."""

import asyncio
import json
import os

import pytest

from holdfast import local_api
from holdfast.errors import HoldfastError, NotRunningError
from holdfast.local_api import ApiServer, caller, request

pytestmark = pytest.mark.asyncio


async def echo(arguments):
    return arguments


async def refuse(_arguments):
    raise HoldfastError("no", where="here", fix="ask nicely")


async def test_a_verb_with_arguments_is_answered(tmp_path):
    path = tmp_path / "s"
    server = ApiServer(path, {"echo": echo, "refuse": refuse})
    await server.start()
    assert path.stat().st_mode & 0o777 == 0o600
    assert await asyncio.to_thread(request, path, "echo", a=1) == {"a": 1}
    with pytest.raises(HoldfastError, match="here: no\n  ask nicely"):
        await asyncio.to_thread(request, path, "refuse")
    with pytest.raises(HoldfastError, match="the verbs are: echo, refuse"):
        await asyncio.to_thread(request, path, "dance")
    await server.stop()
    assert not path.exists()


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b"[1]\n", b"not json\n", b'{"do": []}\n', b'"echo"\n', b"\xff\n", b"[" * 60_000 + b"\n"]
)
async def test_nonsense_is_answered_and_does_not_hurt(tmp_path, line):
    path = tmp_path / "s"
    server = ApiServer(path, {"echo": echo})
    await server.start()
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    assert json.loads(await reader.readline())["ok"] is False
    writer.close()
    assert await asyncio.to_thread(request, path, "echo") == {}
    await server.stop()


async def test_an_endless_line_ends_only_its_own_conversation(tmp_path):
    path = tmp_path / "s"
    server = ApiServer(path, {"echo": echo})
    await server.start()
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"x" * 200_000)
    assert await reader.read() == b""
    writer.close()
    assert await asyncio.to_thread(request, path, "echo") == {}
    await server.stop()


async def test_a_socket_left_by_a_killed_process_is_replaced(tmp_path):
    path = tmp_path / "s"
    path.write_text("")
    server = ApiServer(path, {"echo": echo})
    await server.start()
    assert await asyncio.to_thread(request, path, "echo") == {}
    await server.stop()


async def test_nobody_there_is_said(tmp_path):
    with pytest.raises(NotRunningError, match="nothing is running"):
        request(tmp_path / "s", "echo")


@pytest.mark.parametrize(
    ("login", "words"), [("4294967295", ""), ("4242", " (logged in as uid 4242)"), ("nonsense", ""), (None, "")]
)
async def test_the_kernel_says_who_asks(tmp_path, monkeypatch, login, words):
    async def ask_who(_arguments):
        return caller()

    (tmp_path / "proc").mkdir()
    if login is not None:
        (tmp_path / "proc" / "loginuid").write_text(login)
    monkeypatch.setattr(local_api, "Path", lambda _: tmp_path / "proc" / "loginuid")
    server = ApiServer(tmp_path / "s", {"who": ask_who})
    await server.start()
    assert await asyncio.to_thread(request, tmp_path / "s", "who", by="somebody else") == f"uid {os.getuid()}{words}"
    await server.stop()
    assert caller() == ""


async def test_a_fault_of_the_daemons_own_is_answered_and_its_words_are_not(tmp_path):
    async def fail(_arguments):
        raise ValueError("hunter2")

    path = tmp_path / "s"
    server = ApiServer(path, {"fail": fail, "echo": echo})
    await server.start()
    with pytest.raises(HoldfastError, match=r"ValueError at test_local_api\.py") as caught:
        await asyncio.to_thread(request, path, "fail")
    assert "hunter2" not in str(caught.value)
    assert await asyncio.to_thread(request, path, "echo", a=1) == {"a": 1}
    await server.stop()
