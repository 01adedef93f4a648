"""The picture of the wait."""

import io
from typing import Any

import pytest
from rich.console import Console

from holdfast.cli.dial_view import Picture, phases, print_record, sentence, state_text, view_for
from holdfast.dialer.phases import Phase, Step
from holdfast.dialer.settings import TunnelSettings

ENVELOPE = {"ts": "2026-01-01T00:00:00.000+00:00", "severity": "info", "tunnel": "office"}


def record(event: str, **fields: Any) -> dict[str, Any]:
    return {**ENVELOPE, "event": event, **fields}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (record("DIAL_PHASE", phase="tcp", milliseconds=1.5, detail=""), "tcp after 1.5 ms: "),
        (
            record("DIAL_WAIT", evidence="gone", reason="control_lost", number=3, delay=2.5),
            "down: gone [control_lost]; try 3 in 2.5 s",
        ),
        (record("HOST_CHANGE", detail="route x", undone=False), "set: route x"),
        (record("HOST_CHANGE", detail="route x", undone=True), "taken back: route x"),
        (record("LCP_UP", local_mru=1400), ""),
        (record("ECHO_LOST", missed=2), "ECHO_LOST missed=2"),
    ],
)
def test_each_fact_in_words(given: dict[str, Any], words: str) -> None:
    assert sentence(given) == words


def test_texts_of_the_server_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_record(record("DIAL_NOTE", detail="evil\x1b[2J\nline {tunnel}"))
    print_record(record("LCP_UP"))
    out = capsys.readouterr().out
    assert out == "2026-01-01T00:00:00.000+00:00 office: evil\\x1b[2J\\nline {tunnel}\n"


def test_without_a_terminal_lines_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with view_for(io.StringIO()) as view:
        view.record(record("DIAL_STOP", message="enough"))
    assert "office: stopped: enough" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            {"state": "up", "up": {"local": "10.0.0.9", "encryption": "MPPE", "mtu": 1396}, "next_try_in": None},
            "up 1:01:05  10.0.0.9  MPPE  MTU 1396",
        ),
        (
            {"state": "up", "up": {"local": "10.0.0.9", "encryption": "", "mtu": 1400}, "next_try_in": None},
            "up 1:01:05  10.0.0.9  NOT ENCRYPTED  MTU 1400",
        ),
        ({"state": "waiting", "up": None, "next_try_in": 4.6}, "down, next try in 5 s"),
        ({"state": "trying", "up": None, "next_try_in": None}, "trying 3665 s"),
    ],
)
def test_the_state_of_a_tunnel(status: dict[str, Any], words: str) -> None:
    assert str(state_text({"seconds_in_state": 3665.0, **status})) == words


def test_steps_tick_off() -> None:
    steps = [Step(Phase.NAME, 0.2), Step(Phase.TCP, 12.0)]
    assert str(phases(steps)) == "✓ name 0  ✓ tcp 12"
    assert str(phases(steps, waiting=True)) == "✓ name 0  ✓ tcp 12  … control"
    assert str(phases([], waiting=True)) == "… name"
    assert str(phases([Step(Phase.TRAFFIC, 1)], waiting=True)) == "✓ traffic 1"


class Shown:
    """As much of a dialer as the picture looks at."""

    settings = TunnelSettings("vpn.example", "alice", name="office")
    steps = (Step(Phase.NAME, 0.2),)

    def status(self) -> dict[str, Any]:
        return {"state": "waiting", "up": None, "next_try_in": 4.0, "seconds_in_state": 1.0}


def test_the_live_lines_of_all_tunnels() -> None:
    picture = Picture()
    picture.begin([Shown()])  # type: ignore[list-item]
    picture.note(record("DIAL_NOTE", detail="because"))
    picture.note(record("LCP_UP"))
    out = io.StringIO()
    Console(file=out, width=120).print(picture.table())
    assert " ".join(out.getvalue().split()) == "office down, next try in 4 s ✓ name 0 because"
