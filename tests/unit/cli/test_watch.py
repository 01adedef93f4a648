import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import watch as module
from holdfast.cli.main import main
from holdfast.watch.desk import Desk
from holdfast.watch.service import Watch
from support.live import captured
from support.logs import check
from support.scene import Scene

SCENES: dict[str, Callable[[], Scene]] = {
    "well": lambda: Scene().up().goodbye(),
    "refused": lambda: Scene().call().lcp().refuse().goodbye(False),
}


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Watch]]:
    """Let a scene go by instead of an interface."""
    made: list[Watch] = []

    def prepare(name: str) -> list[Watch]:
        def run(watch: Watch) -> Desk:
            made.append(watch)
            desk = Desk(watch.options.interface, watch.report, watch.shelf)
            packets = captured(SCENES[name]())
            for one in packets:
                desk.take(one)
            watch.look(desk)
            desk.close(packets[-1].nanoseconds)
            return desk

        monkeypatch.setattr(module.Watch, "run", run)
        return made

    return prepare


def test_lines_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str], play: Any) -> None:
    made = play("refused")
    options = ["--for", "2m", "--host", "192.0.2.1", "--ring", "2"]
    assert main(["watch", "-i", "eth0", "--state", str(tmp_path), *options]) == 1
    out = capsys.readouterr().out
    assert "FAILED" in out
    assert "auth-rejected" in out
    assert "Windows shows: 691" in out
    (kept,) = (tmp_path / "watch").iterdir()
    assert f"kept: {kept}" in out
    wanted = made[0].options
    assert (wanted.interface, wanted.seconds, wanted.host, wanted.ring) == ("eth0", 120.0, "192.0.2.1", 2 << 20)


def test_json_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str], play: Any) -> None:
    play("refused")
    assert main(["watch", "-i", "eth0", "--state", str(tmp_path), "--json", "--keep-files", "0"]) == 1
    (record,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (record["event"], record["finding"], record["capture"]) == ("WATCH_FAILED", "auth-rejected", "")
    assert not (tmp_path / "watch").exists()


def test_a_log_that_can_be_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str], play: Any) -> None:
    play("well")
    log, copy = tmp_path / "log" / "events.jsonl", tmp_path / "copy.jsonl"
    arguments = ["watch", "-i", "eth0", "--state", str(tmp_path), "--log", str(log), "--sink", f"file:{copy}"]
    assert main(arguments) == 0
    assert "ended" in capsys.readouterr().out
    assert check(log).whole
    assert "WATCH_END" in copy.read_text()
    assert main(["diagnose", "--log", str(log)]) == 0


def test_captures_go_where_they_are_wanted(tmp_path: Path, play: Any) -> None:
    play("refused")
    keep = tmp_path / "else"
    options = ["--keep", str(keep), "--keep-files", "5", "--keep-megabytes", "1"]
    assert main(["watch", "-i", "eth0", "--state", str(tmp_path), *options]) == 1
    assert len(list(keep.iterdir())) == 1


@pytest.mark.parametrize(
    "wrong",
    [["--for", "soon"], ["--for", "0s"], ["--host", "nowhere"], ["--sink", "carrier-pigeon:"], ["--ring", "0"]],
)
def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]) -> None:
    assert main(["watch", "-i", "lo", "--state", str(tmp_path), *wrong]) == 2
    assert capsys.readouterr().err


@pytest.mark.root
def test_no_such_interface(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "-i", "nowhere0", "--state", str(tmp_path)]) == 2
    assert "no such interface" in capsys.readouterr().err
