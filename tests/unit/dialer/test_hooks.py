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
    """Whether that process runs; one that waits for its parent to ask for its end does not."""
    stat = Path("/proc", pid_file.read_text().strip() or "self", "stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_a_program_that_a_hook_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    """It keeps the hook's standard error open, and may go on using it."""
    left = tmp_path / "left"
    body = f"(while [ ! -e {left} ]; do sleep 0.05; done; echo later >&2 && touch {left}.said) &"
    leaving = script(tmp_path / "leaving", f"{body}\necho no good >&2; exit 1")
    async with asyncio.timeout(hooks.PATIENCE / 2):
        (complaint,) = await hooks.run([leaving], "up", {})
    assert complaint == f"the hook {leaving} ended with 1: no good"
    left.touch()
    async with asyncio.timeout(30):
        while not (tmp_path / "left.said").exists():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)


async def test_what_a_hook_started_is_ended_with_it_when_it_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "PATIENCE", 3.0)
    (tmp_path / "pid").write_text(str(2**22 + 1))  # nobody's, should it be ended before it says its own
    slow = script(tmp_path / "slow", f"sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60' & wait")
    (complaint,) = await hooks.run([slow], "up", {})
    assert "did not end within 3 s" in complaint
    async with asyncio.timeout(30):
        while lives(tmp_path / "pid"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)


async def test_a_hook_that_talks_without_end_is_heard_to_its_end(tmp_path: Path) -> None:
    """The pipe is emptied while it runs, or it would stand still; little of it is kept."""
    talker = script(tmp_path / "talker", "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 2")
    (complaint,) = await hooks.run([talker], "up", {})
    assert complaint == f"the hook {talker} ended with 2: {'x' * hooks.LONGEST_COMPLAINT}"
