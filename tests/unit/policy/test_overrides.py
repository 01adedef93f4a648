"""Settings that people type."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import HoldfastError
from holdfast.policy.effective import KEYS
from holdfast.policy.overrides import Overrides, SingleSession, parse_override, read_overrides


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("idle_timeout=900", "idle_timeout", 900.0),
        (" idle_timeout = 1.5 ", "idle_timeout", 1.5),
        ("idle_timeout=", "idle_timeout", None),
        ("preset=mobile", "preset", ["mobile"]),
        ("preset=mobile, cap-1h", "preset", ["mobile", "cap-1h"]),
        ('preset=["mobile"]', "preset", ["mobile"]),
        ("single_session=replace-now", "single_session", "replace-now"),
        ("hours=mon-fri 08:00-18:00", "hours", "mon-fri 08:00-18:00"),
        ("sessions_per_user=2", "sessions_per_user", 2),
    ],
)
def test_key_and_value(text: str, key: str, value: object) -> None:
    assert parse_override(text) == (key, value)


@pytest.mark.parametrize(
    "text",
    ["", "idle_timeout", "idle=3", "idle_timeout=-1", "idle_timeout=nan", "lcp_echo_failures=0", "preset=3", "=3"],
)
def test_what_does_not_fit_is_said(text: str) -> None:
    with pytest.raises(HoldfastError, match="="):
        parse_override(text)


def test_what_is_given_is_typed_and_without_presets() -> None:
    overrides = read_overrides({"preset": "mobile", "single_session": "deny", "idle_timeout": 3})
    assert overrides.given() == {"single_session": SingleSession.DENY, "idle_timeout": 3.0}
    assert overrides.plain() == {"preset": ["mobile"], "single_session": "deny", "idle_timeout": 3.0}


def test_every_setting_can_be_overridden_and_says_what_it_is() -> None:
    given = set(KEYS) - set(Overrides.model_fields)
    assert given == {
        "reauthenticate",
        "volume_limit_in",
        "volume_limit_out",
        "group",
        "address",
        "client_wish",
        "dns",
        "wins",
        "mtu",
        "mppe",
        "mppe_bits",
    }
    assert set(Overrides.model_fields) - set(KEYS) == {"preset"}
    assert all(field.description for field in Overrides.model_fields.values())


@given(st.sampled_from(sorted(Overrides.model_fields)), st.text(max_size=20))
def test_any_text_is_a_value_or_an_error(key: str, written: str) -> None:
    with contextlib.suppress(HoldfastError):
        assert parse_override(f"{key}={written}")[0] == key
