"""Clients that are cut off are noticed in the time that is promised."""

import os

import pytest

from bench import detection
from bench.namespaces import joined
from support.patience import once_in

pytestmark = pytest.mark.root


def test_cut_off_clients_are_released_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    names = tuple(f"lab{os.getpid()}-cut-{end}" for end in ("gateway", "client"))
    monkeypatch.setattr(detection, "GATEWAY", names[0])
    monkeypatch.setattr(detection, "CLIENT", names[1])
    with joined(*names, f"{detection.GATEWAY_OUTER}/24", f"{detection.CLIENT_OUTER}/24"):
        found = once_in(4, lambda: detection.measure(20, 0.5, 3), lambda found: found.in_time == 20)
    assert (len(found.seconds), found.in_time, found.reasons) == (20, 20, {"echo_timeout": 20})
    assert found.seconds[0] > 1.0, "one lost echo ends nobody"
