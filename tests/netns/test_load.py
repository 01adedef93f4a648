"""The load benchmark on a small scale: every session comes up, answers, stays, is asked for its echo evenly, and is
told goodbye in every way, whether it answers or not."""

import os

import pytest

from bench import load
from bench.namespaces import joined

pytestmark = pytest.mark.root


@pytest.mark.parametrize(("workers", "silent"), [(1, True), (3, False)])
def test_sessions_are_held_and_their_ends_are_seen(
    monkeypatch: pytest.MonkeyPatch, workers: int, *, silent: bool
) -> None:
    names = tuple(f"lab{os.getpid()}-few-{end}" for end in ("gateway", "client"))
    monkeypatch.setattr(load, "GATEWAY", names[0])
    monkeypatch.setattr(load, "CLIENT", names[1])
    monkeypatch.setattr(load, "CONFIG", f"{load.CONFIG}\n[gateway]\nworkers = {workers}\n")
    with joined(*names, f"{load.GATEWAY_OUTER}/24", f"{load.CLIENT_OUTER}/24"):
        found = load.measure(20, 5.0, interval=1.0, silent=silent)
    assert (found["answered"], found["alive"], found["failed"]) == (20, 20, [])
    assert found["echoes"]["pairs"] >= 20
    assert {found["told"][kind] for kind in ("terminate", "notify", "stop")} == {20}
    assert found["told_in"] > 0
    load.print_row(found)
    load.print_stop(found)
