"""The numbers that were promised."""

import pytest

from holdfast.policy.overrides import read_overrides
from holdfast.policy.presets import PRESETS


@pytest.mark.parametrize(
    ("name", "interval", "failures", "detection"),
    [("fast-failover", 5, 3, 15), ("mobile", 10, 4, 40), ("default", 10, 3, 30)],
)
def test_echo_presets(name: str, interval: float, failures: int, detection: float) -> None:
    settings = PRESETS[name].settings
    assert (settings["lcp_echo_interval"], settings["lcp_echo_failures"]) == (interval, failures)
    assert interval * failures == detection
    assert f"{detection} s" in PRESETS[name].purpose


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("idle-control", {"idle_timeout": 900}),
        ("idle-control-consumer", {"idle_timeout": 300}),
        ("cap-1h", {"session_timeout": 3600}),
        ("cap-4h", {"session_timeout": 14400}),
        ("cap-24h", {"session_timeout": 86400}),
    ],
)
def test_idle_and_caps(name: str, settings: dict[str, float]) -> None:
    assert PRESETS[name].settings == settings


def test_every_preset_sets_what_a_session_knows() -> None:
    for preset in PRESETS.values():
        assert read_overrides(preset.settings).given() == preset.settings
