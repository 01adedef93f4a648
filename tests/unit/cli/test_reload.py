"""`holdfast reload`."""

import json

import pytest

from holdfast.cli import reload
from unit.cli.conftest import Run

CHANGED = {
    "now": ["limits.sessions: 0 -> 1"],
    "new_sessions": ["ppp.mru: 1 -> 2"],
    "restart": ["addresses.nat: a -> b"],
}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"now": [], "new_sessions": [], "restart": []}, ["nothing has changed"]),
        (
            CHANGED,
            [
                "in effect now: limits.sessions: 0 -> 1",
                "for new sessions: ppp.mru: 1 -> 2",
                "waits for a restart: addresses.nat: a -> b",
            ],
        ),
    ],
)
def test_what_changed(run: Run, monkeypatch: pytest.MonkeyPatch, answer: object, says: list[str]) -> None:
    monkeypatch.setattr(reload, "ask", lambda _state, _verb: answer)
    assert run("reload").out.splitlines() == says
    assert json.loads(run("reload", "--json").out) == answer


def test_nothing_runs(run: Run) -> None:
    assert run("reload").code == 2
