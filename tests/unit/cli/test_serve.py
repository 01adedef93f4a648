"""`holdfast serve`: what it prints, and what it does not print where it would be kept."""

import os
from pathlib import Path

import pytest

from holdfast.cli import serve as command
from holdfast.cli.main import main
from holdfast.config import Config
from holdfast.gateway.service import Started
from holdfast.policy.first_start import FirstUser
from holdfast.secret import Secret

PASSWORD = "kelp-orbit-quay"
RECORD = {"ts": "2026-01-01T00:00:00.000+00:00", "event": "AUTH_SUCCESS", "severity": "info", "user": "alice"}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A gateway that starts for the first time, tells one fact and ends."""

    async def run(loaded, state, announce, listeners, stopping) -> None:
        user = FirstUser("holdfast", Secret.from_text(PASSWORD))
        announce(Started(("192.0.2.1:1723",), loaded.config, state, user, ()))
        for listener in listeners:
            listener(RECORD)
        stopping()

    monkeypatch.setattr(command, "run_gateway", run)
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    (tmp_path / "h.toml").write_text("[log]\npseudonyms = true\n")


def test_the_first_password_is_shown_once(started: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--state", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"password {PASSWORD}" in out
    assert "AUTH_SUCCESS" in out
    assert not (tmp_path / "first-password").exists()


def test_the_journal_does_not_get_the_password(
    started: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = os.fstat(command.STANDARD_OUTPUT)
    monkeypatch.setenv("JOURNAL_STREAM", f"{out.st_dev}:{out.st_ino}")
    file = tmp_path / "first-password"
    file.write_text("of a gateway before this one")
    assert main(["serve", "--state", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert PASSWORD not in said
    assert str(file) in said
    assert file.read_text() == PASSWORD + "\n"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("terminal", [False, True])
def test_people_with_pseudonyms_are_named_on_a_terminal_only(
    started: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    assert not Config().log.pseudonyms
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert main(["serve", "--state", str(tmp_path), "--config", str(tmp_path / "h.toml")]) == 0
    out = capsys.readouterr().out
    assert ("alice" in out) is terminal
    assert ("in the log alone" in out) is not terminal
