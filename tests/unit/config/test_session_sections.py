"""The sections about sessions and admission."""

import pytest

from holdfast.config import InvalidConfigError, parse
from holdfast.policy.effective import SessionPolicy

GROUPS = """
[timeouts]
preset = "mobile"
idle_timeout = 900

[groups.office]
preset = ["cap-4h"]
networks = ["192.0.2.0/24"]

[groups."branch.2"]
idle_timeout = 3
"""


def test_the_defaults_are_those_of_the_policy() -> None:
    config, policy = parse("").config, SessionPolicy()
    for section in (config.ppp, config.timeouts, config.limits, config.admission):
        for key in type(section).model_fields:
            if hasattr(policy, key):
                assert getattr(section, key) == getattr(policy, key)


def test_settings_of_groups_know_their_lines() -> None:
    origins = {one.key: (one.value, one.origin) for one in parse(GROUPS, "h.toml").settings()}
    assert origins["timeouts.preset"] == (["mobile"], "h.toml:3")
    assert origins["groups.office.preset"] == (["cap-4h"], "h.toml:7")
    assert origins["groups.office.networks"] == (["192.0.2.0/24"], "h.toml:8")
    assert origins["groups.branch.2.idle_timeout"] == (3.0, "h.toml:11")
    assert "groups.office.idle_timeout" not in origins


def test_the_overrides_of_a_group_leave_its_networks_out() -> None:
    overrides = parse(GROUPS).config.groups["office"].overrides()
    assert overrides.plain() == {"preset": ["cap-4h"]}


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[groups]\nx = 3", "groups.x", "name of a section"),
        ("[groups.x]\nidle = 3", "groups.x.idle", "no such key"),
        ('[groups."a b"]\nidle_timeout = 3', "groups.a b", "match"),
        ("groups = 3", "groups", "does not fit"),
        ('[groups.x]\nsingle_session = "x"', "groups.x.single_session", "not one of allow, deny, replace"),
        ('[groups.x]\nhours = "mon"', "groups.x.hours", "weekly window"),
        ('[admission]\ndeny = ["10.0.0.1/8"]', "admission.deny", "write 10.0.0.0/8"),
        ('[admission]\nallow = ["10.0.0.0/99"]', "admission.allow", "not an IPv4 network"),
        ("[admission]\nallow = [3]", "admission.allow", "written as text"),
        ('[timeouts]\npreset = "quick"', "timeouts.preset", "no preset 'quick'"),
        ("[timeouts]\nidle_timeout = -1", "timeouts.idle_timeout", "greater than or equal to 0"),
        ("[limits]\nsessions = 1.5", "limits.sessions", "not a whole number"),
    ],
)
def test_problems_name_their_key(text: str, key: str, says: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.key == key
    assert says in problem.what


def test_one_bad_group_does_not_hide_other_problems() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse('[groups.x]\nhours = "mon"\n[ppp]\nmtu = 1\n')
    assert [problem.key for problem in caught.value.problems] == ["groups.x.hours", "ppp.mtu"]
