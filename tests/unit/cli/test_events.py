"""`holdfast events`."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.cli.events import UNITS
from holdfast.config import Config, parse
from holdfast.events import AuthenticationFailed, PeerIdentified
from holdfast.gateway.log_setup import open_log
from holdfast.policy.store import Store
from support.logs import edit
from support.patience import until
from unit.cli.conftest import Run


def fill(state: Path, config: Config | None = None) -> None:
    with Store.open(state):
        journal = open_log(config or Config(), state)
        for number in range(5):
            journal.log.emit(PeerIdentified(f"fact {number}"), {"session": f"s{number}", "user": "alice"})
        journal.log.emit(AuthenticationFailed("pap", "bob", 0, "no such user"), {"session": "s9"})
        journal.close()


@pytest.fixture
def filled(state: Path) -> Path:
    fill(state)
    return state / "events.jsonl"


def test_the_newest_come_last(run: Run, filled: Path) -> None:
    ran = run("events", "--limit", "3")
    rows = ran.out.splitlines()
    assert (ran.code, len(rows)) == (0, 3)
    assert re.match(r"\S+ warning AUTH_FAIL s9 method=pap user=bob ", rows[1])
    assert "LOG_SIGNED" in rows[2]


def test_choices(run: Run, filled: Path) -> None:
    assert run("events", "--user", "alice").out.count("IDENTIFICATION") == 5
    assert run("events", "--event", "auth_fail", "--json").out.count("\n") == 1
    assert run("events", "--session", "s3").out.count("\n") == 1
    assert run("events", "--severity", "warning").out.count("\n") == 1
    assert run("events", "--since", "1h", "--limit", "0").out.count("\n") == 8
    assert run("events", "--until", "1h").out == ""
    for unit in UNITS:
        assert run("events", "--since", f"10{unit}").code == 0


def test_json_lines_are_those_of_the_log(run: Run, filled: Path) -> None:
    assert run("events", "--json", "--limit", "0").out.encode() == filled.read_bytes()


def test_a_time_that_is_none_is_said(run: Run, filled: Path) -> None:
    ran = run("events", "--since", "soon")
    assert ran.code == 2
    assert "'soon' is no time" in ran.err


def test_no_log_is_said(run: Run, state: Path) -> None:
    ran = run("events")
    assert ran.code == 2
    assert "there is no event log" in ran.err


def test_nothing_in_a_line_steers_the_terminal(run: Run, state: Path) -> None:
    with Store.open(state):
        journal = open_log(Config(), state)
        journal.log.emit(PeerIdentified("\x1b[2J\nforged"), {})
        journal.close()
    ran = run("events")
    assert "\x1b" not in ran.out
    assert ran.out.count("\n") == 3


def reads(pid: int, path: Path) -> bool:
    """Whether a process has read a file to its end and keeps it open."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if link.readlink() == path:
                position = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text().split()[1]
                return int(position) == path.stat().st_size
    return False


def test_following(filled: Path, state: Path) -> None:
    command = (sys.executable, "-m", "holdfast.cli.main", "events", "--follow", "--limit", "1", "--state", str(state))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert "LOG_SIGNED" in follower.stdout.readline()
        until(lambda: reads(follower.pid, filled), 5, lambda: "it does not follow")
        fill(state)
        assert "LOG_OPENED" in follower.stdout.readline()
        assert "fact 0" in follower.stdout.readline()
        os.kill(follower.pid, signal.SIGINT)
        assert follower.wait(60) == 0


def test_schema(run: Run) -> None:
    schema = json.loads(run("events", "schema").out)
    assert schema["$id"] == "urn:holdfast:event-log:1"
    assert "TEARDOWN" in schema["$defs"]
    assert "### TEARDOWN" in run("events", "schema", "--markdown").out


def test_a_whole_log_and_one_that_is_not(run: Run, filled: Path) -> None:
    ran = run("events", "verify")
    assert (ran.code, ran.out) == (0, "lines 1 to 8, 1 signatures, 0 stubs: the log is whole\n")
    edit(filled, lambda lines: [line.replace(b"fact 2", b"fact 1") for line in lines])
    ran = run("events", "verify")
    assert ran.code == 1
    assert ran.out.startswith("events.jsonl:4: changed: ")
    report = json.loads(run("events", "verify", "--json").out)
    assert (report["whole"], report["problems"][0]["line"]) == (False, 4)


def test_another_key(run: Run, filled: Path, tmp_path: Path) -> None:
    run("events", "verify")
    other = tmp_path / "other"
    fill(other)
    ran = run("events", "verify", "--public-key", other / "log-signing.pub")
    assert ran.code == 1
    assert "forged" in ran.out


def test_an_excerpt_goes_out_and_the_log_knows(run: Run, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "case.jsonl"
    ran = run("events", "export", target, "--user", "alice", "--reason", "case 17", "--json")
    assert (ran.code, json.loads(ran.out)["lines"]) == (0, 5)
    assert run("events", "verify", "--file", target).code == 0
    noted = json.loads(run("events", "--event", "LOG_EXPORTED", "--json").out)
    assert (noted["lines"], noted["selection"]) == (5, "user=alice severity=debug")
    assert run("events", "verify").code == 0
    assert run("events", "export", target).code == 2


def test_forgetting(run: Run, filled: Path) -> None:
    ran = run("events", "forget", "alice")
    assert (ran.code, ran.out) == (0, "5 lines were taken out, 0 keys destroyed\n")
    assert "alice" not in run("events", "--limit", "0").out
    assert run("events", "verify").code == 0


def test_pseudonyms(run: Run, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "holdfast.toml"
    config.write_text("[log]\npseudonyms = true\n")
    fill(state, parse(config.read_text()).config)
    shown = run("events", "--user", "alice", "--limit", "1").out
    assert "alice" not in shown
    pseudonym = re.search(r"user=(\S+)", shown)
    assert pseudonym
    assert run("events", "who", pseudonym[1]).out == "alice\n"
    noted: list[tuple[str, str]] = []
    with monkeypatch.context() as running:
        running.setattr("holdfast.cli.events.ask", lambda _, verb, pseudonym: noted.append((verb, pseudonym)))
        assert run("events", "who", pseudonym[1]).out == "alice\n"
        assert run("events", "who", "user-nobody").code == 1
    assert noted == [("log-resolved", pseudonym[1])]
    ran = run("events", "forget", "alice", "--config", config)
    assert ran.out == "0 lines were taken out, 1 keys destroyed\n"
    assert run("events", "who", pseudonym[1]).code == 1
    assert run("events", "verify", "--config", config).code == 0
    assert "alice" not in (state / "events.jsonl").read_text()


def test_purging(run: Run, filled: Path) -> None:
    assert run("events", "purge").out == "0 lines were taken out\n"
    assert json.loads(run("events", "purge", "--json").out) == {"lines": 0}


def test_an_encrypted_log_is_read_with_its_key(run: Run, state: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(bytes(32))
    key.chmod(0o600)
    config = tmp_path / "holdfast.toml"
    config.write_text(f'[log]\nencryption_key = "{key}"\n')
    with Store.open(state):
        journal = open_log(parse(config.read_text()).config, state)
        journal.log.emit(PeerIdentified("hidden"), {})
        journal.log.request(lambda file: file.rotate()).result(10)
        journal.keeper.tidy()
        journal.close()
    assert run("events", "verify").code == 2
    assert run("events", "verify", "--config", config).code == 0
    assert "hidden" in run("events", "--config", config).out
