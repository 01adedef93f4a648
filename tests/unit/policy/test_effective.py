"""Who has the word."""

from holdfast.policy.effective import (
    DEFAULT,
    KEYS,
    RADIUS_KEYS,
    Effective,
    Layer,
    SessionPolicy,
    effective,
    layers_of,
    over,
)
from holdfast.policy.overrides import SingleSession, read_overrides

FILE = layers_of(
    read_overrides({"preset": "mobile", "idle_timeout": 900, "single_session": "deny"}),
    "h.toml",
    {"preset": "h.toml:2", "idle_timeout": "h.toml:3"},
)
GROUP = layers_of(read_overrides({"preset": ["cap-4h"], "idle_timeout": 300}), "group office (h.toml:7)")
USER = layers_of(read_overrides({"lcp_echo_interval": 20}), "user alice")


def test_without_layers_the_defaults_hold() -> None:
    nothing = effective([])
    assert nothing == Effective(SessionPolicy())
    assert {nothing.origin(key) for key in KEYS} == {DEFAULT}


def test_the_word_goes_from_weak_to_strong_with_its_origin() -> None:
    outcome = effective([*FILE, *GROUP, *USER, Layer.of({RADIUS_KEYS[28]: 60.0}, "RADIUS")])
    policy = outcome.policy
    assert (policy.lcp_echo_interval, outcome.origin("lcp_echo_interval")) == (20, "user alice")
    assert (policy.lcp_echo_failures, outcome.origin("lcp_echo_failures")) == (4, "preset mobile (h.toml:2)")
    assert (policy.idle_timeout, outcome.origin("idle_timeout")) == (60, "RADIUS")
    assert (policy.session_timeout, outcome.origin("session_timeout")) == (
        14400,
        "preset cap-4h (group office (h.toml:7))",
    )
    assert (policy.single_session, outcome.origin("single_session")) == (SingleSession.DENY, "h.toml")
    assert (policy.volume_limit, outcome.origin("volume_limit")) == (0, DEFAULT)


def test_a_group_goes_before_the_file() -> None:
    assert effective([*FILE, *GROUP]).policy.idle_timeout == 300


def test_radius_attributes_have_their_numbers() -> None:
    assert RADIUS_KEYS == {27: "session_timeout", 28: "idle_timeout", 85: "accounting_interval"}
    assert set(RADIUS_KEYS.values()) <= set(KEYS)


def test_radius_narrows_what_is_possible_and_widens_nothing() -> None:
    before = effective([Layer.of({"mtu": 1350, "mppe_bits": (128, 40)}, "h.toml")])
    less = over(before, Layer.of({"mtu": 1200, "mppe_bits": (40, 56)}, "RADIUS r: X"))
    assert (less.policy.mtu, less.policy.mppe_bits) == (1200, (40,))
    assert (less.origin("mtu"), less.origin("mppe_bits"), less.unusable) == ("RADIUS r: X", "RADIUS r: X", ())
    more = over(before, Layer.of({"mtu": 1500, "mppe_bits": (128, 56, 40)}, "RADIUS r: X"))
    assert more.policy == before.policy
    assert more.origin("mtu") == more.origin("mppe_bits") == "h.toml"
    assert more.unusable == ("RADIUS r: X = 1500: 1350 is the most that is sent (h.toml)",)


def test_what_radius_said_and_cannot_hold_is_kept() -> None:
    said = over(effective([]), Layer({"filter": "a"}, {"filter": "RADIUS"}, ("Framed-MTU: absurd",)))
    changed = over(said, Layer.of({"filter": "b"}, "CoA"))
    assert (changed.policy.filter, changed.origin("filter")) == ("b", "CoA")
    assert changed.unusable == ("Framed-MTU: absurd",)


def test_all_settings_can_be_shown() -> None:
    shown = effective(FILE).settings()
    assert [one["key"] for one in shown] == list(KEYS)
    assert {"key": "single_session", "value": "deny", "origin": "h.toml"} in shown
