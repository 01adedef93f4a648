"""`holdfast why`."""

import json

import pytest

from holdfast.cli import why
from unit.cli.conftest import Run

ANSWER = {
    "id": "0199c0ffee",
    "user": "alice",
    "group": "office",
    "state": "up",
    "settings": [
        {"key": "idle_timeout", "value": 900.0, "origin": "h.toml:3"},
        {"key": "session_timeout", "value": 0.0, "origin": "default"},
        {"key": "lcp_echo_failures", "value": 3, "origin": "preset mobile (h.toml:2)"},
        {"key": "single_session", "value": "deny", "origin": "group office"},
        {"key": "volume_limit", "value": 0, "origin": "default"},
        {"key": "volume_limit_in", "value": 5000, "origin": "RADIUS r: Mikrotik-Recv-Limit"},
        {"key": "dns", "value": ["192.0.2.1", "192.0.2.2"], "origin": "RADIUS r: MS-Primary-DNS-Server"},
    ],
    "before_login": [{"key": "timeouts.setup_timeout", "value": 60.0, "origin": "default"}],
    "used": {
        "session_time": 61.5,
        "idle": 4.0,
        "octets": 1024,
        "octets_in": 1000,
        "octets_out": 24,
        "echoes_missed": 1,
        "detection_time": 30.0,
    },
    "ends": [{"seconds": 896.0, "why": "unless there is user traffic before (idle_timeout)"}],
    "silent": ["sent"],
    "ignored": ["RADIUS r: Framed-MTU = 64: below the 576 octets that every host must take"],
    "unknown": ["14988/99"],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    asked: list[object] = []

    def ask(_state: object, verb: str, **arguments: object) -> object:
        asked.append((verb, arguments))
        return ANSWER

    monkeypatch.setattr(why, "ask", ask)
    return asked


def test_a_table_with_origins(run: Run, asked: list[object]) -> None:
    code, out, _ = run("why", "c0ffee")
    assert code == 0
    assert asked == [("why", {"session": "c0ffee"})]
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert rows["idle_timeout"] == ["900", "4", "s", "h.toml:3"]
    assert rows["session_timeout"] == ["any", "time", "61.5", "s", "default"]
    assert rows["lcp_echo_failures"] == ["3", "1", "missed", "preset", "mobile", "(h.toml:2)"]
    assert rows["single_session"] == ["deny", "-", "group", "office"]
    assert rows["volume_limit"] == ["any", "1024", "octets", "default"]
    assert rows["volume_limit_in"] == ["5000", "1000", "octets", "RADIUS", "r:", "Mikrotik-Recv-Limit"]
    assert rows["timeouts.setup_timeout"] == ["60", "-", "default"]
    assert "session 0199c0ffee, user alice, group office, up" in out
    assert "half-dead: sent is silent" in out
    assert "ends in 896 s: unless there is user traffic before (idle_timeout)" in out
    assert "a client that vanishes is noticed after 30 s" in out
    assert "not used: RADIUS r: Framed-MTU = 64: below" in out
    assert "attributes of RADIUS not known here: 14988/99" in out
    assert rows["dns"] == ["192.0.2.1,", "192.0.2.2", "-", "RADIUS", "r:", "MS-Primary-DNS-Server"]


def test_echo_that_is_off_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {**ANSWER, "used": {**ANSWER["used"], "detection_time": None}, "ends": []}
    monkeypatch.setattr(why, "ask", lambda *_, **__: answer)
    out = run("why", "c0ffee").out
    assert "LCP echo is off: a client that vanishes is not noticed" in out
    assert "ends in" not in out


@pytest.mark.usefixtures("asked")
def test_json(run: Run) -> None:
    assert json.loads(run("why", "c0ffee", "--json").out) == ANSWER


def test_nothing_runs(run: Run) -> None:
    assert run("why", "x").code == 2
