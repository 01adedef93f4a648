"""`holdfast drain`."""

import json

import pytest

from holdfast.cli import drain
from unit.cli.conftest import Run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    asked: list[object] = []

    def ask(_state: object, verb: str, **arguments: object) -> object:
        asked.append((verb, arguments))
        return {"draining": not arguments["cancel"], "sessions": 3}

    monkeypatch.setattr(drain, "ask", ask)
    return asked


def test_drain(run: Run, asked: list[object]) -> None:
    assert "ends with its last session (3 now)\n" in run("drain").out
    assert "(3 now), or in 60 s\n" in run("drain", "--deadline", "60").out
    assert "takes calls again" in run("drain", "--cancel").out
    assert json.loads(run("drain", "--json").out) == {"draining": True, "sessions": 3}
    assert asked[1:3] == [
        ("drain", {"deadline": 60.0, "cancel": False}),
        ("drain", {"deadline": 0.0, "cancel": True}),
    ]


def test_wrong_usage(run: Run, asked: list[object]) -> None:
    assert run("drain", "--deadline", "-1").code == 2
    assert asked == []


def test_nothing_runs(run: Run) -> None:
    assert run("drain").code == 2
