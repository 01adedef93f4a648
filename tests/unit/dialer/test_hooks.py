"""Executables that are told of a tunnel."""

import asyncio
from pathlib import Path

import pytest

from holdfast.dialer import hooks

pytestmark = pytest.mark.asyncio


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


async def test_they_run_in_order_with_a_clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "x")
    both = [
        script(tmp_path / name, f"echo {name} >> {tmp_path}/order; env > {tmp_path}/env") for name in ("one", "two")
    ]
    assert await hooks.run(both, "up", {"local": "10.0.0.1", "dns": ("1.1.1.1", "9.9.9.9")}) == []
    assert (tmp_path / "order").read_text() == "one\ntwo\n"
    seen = (tmp_path / "env").read_text()
    assert {"HOLDFAST_EVENT=up", "HOLDFAST_LOCAL=10.0.0.1", "HOLDFAST_DNS=1.1.1.1 9.9.9.9"} <= set(seen.splitlines())
    assert "SECRET_OF_THE_PARENT" not in seen


async def test_what_comes_from_the_server_cannot_add_lines() -> None:
    assert hooks.environment("down", {"evidence": "a\nHOLDFAST_X=1\x1b[2J"})["HOLDFAST_EVIDENCE"] == "aHOLDFAST_X=1[2J"


async def test_a_failing_hook_is_one_sentence(tmp_path: Path) -> None:
    bad = script(tmp_path / "bad", "echo first >&2; echo second >&2; exit 3")
    good = script(tmp_path / "good", f"touch {tmp_path}/ran")
    (complaint,) = await hooks.run([bad, good], "up", {})
    assert complaint == f"the hook {bad} ended with 3: first; second"
    assert (tmp_path / "ran").exists()


async def test_a_hook_that_cannot_start(tmp_path: Path) -> None:
    (complaint,) = await hooks.run([tmp_path / "none"], "up", {})
    assert "cannot be started: No such file" in complaint


async def test_a_hook_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "PATIENCE", 0.2)
    (complaint,) = await hooks.run([script(tmp_path / "slow", "exec sleep 60")], "up", {})
    assert "did not end within 0.2 s" in complaint


async def test_a_hook_is_ended_with_us(tmp_path: Path) -> None:
    slow = script(tmp_path / "slow", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    task = asyncio.ensure_future(hooks.run([slow], "up", {}))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not lives(tmp_path / "pid")


def lives(pid_file: Path) -> bool:
    return Path("/proc", pid_file.read_text().strip()).exists()
