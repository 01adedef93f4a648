"""`holdfast unlock`."""

import json

import pytest

from holdfast.cli import unlock
from unit.cli.conftest import Run


@pytest.mark.parametrize(("unlocked", "code", "says"), [(True, 0, "may log in again"), (False, 1, "no such lock")])
def test_unlock(run: Run, monkeypatch: pytest.MonkeyPatch, unlocked: bool, code: int, says: str) -> None:
    asked: list[object] = []

    def ask(_state: object, verb: str, **arguments: object) -> object:
        asked.append((verb, arguments))
        return {"unlocked": unlocked}

    monkeypatch.setattr(unlock, "ask", ask)
    ran = run("unlock", "alice", "192.0.2.7")
    assert (ran.code, says in ran.out) == (code, True)
    assert asked == [("unlock", {"user": "alice", "address": "192.0.2.7"})]
    assert json.loads(run("unlock", "alice", "192.0.2.7", "--json").out) == {"unlocked": unlocked}


def test_nothing_runs(run: Run) -> None:
    assert run("unlock", "alice", "192.0.2.7").code == 2
