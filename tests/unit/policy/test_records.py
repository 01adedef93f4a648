"""The state of an account."""

from typing import Any

import pytest

from holdfast.policy.records import AccountState, SecretKind, UserRecord


@pytest.mark.parametrize(
    ("record", "state"),
    [
        ({}, AccountState.ACTIVE),
        ({"expires": 101.0}, AccountState.ACTIVE),
        ({"expires": 100.0}, AccountState.EXPIRED),
        ({"disabled": True, "expires": 1.0}, AccountState.DISABLED),
        ({"no_address": True}, AccountState.NO_ADDRESS),
        ({"no_address": True, "expires": 1.0}, AccountState.EXPIRED),
    ],
)
def test_state(record: dict[str, Any], state: AccountState) -> None:
    assert UserRecord("a", SecretKind.PASSWORD, "test", **record).state(100.0) is state
