"""Commands are plain frozen values and show no key."""

from dataclasses import FrozenInstanceError

import pytest

from holdfast.errors import DisconnectReason
from holdfast.ppp.commands import AddressRefusal, MppeDirection, StartMppe
from holdfast.ppp.config import MppeMode
from holdfast.secret import Secret


def test_keys_do_not_show() -> None:
    direction = MppeDirection(Secret(b"\x5a" * 16), 128, MppeMode.STATELESS)
    text = repr(StartMppe(direction, direction))
    assert "***" in text
    assert "ZZZZ" not in text
    assert "5a5a" not in text


def test_commands_are_frozen() -> None:
    refusal = AddressRefusal("the pool is empty")
    assert refusal.reason is DisconnectReason.NO_ADDRESS
    with pytest.raises(FrozenInstanceError):
        refusal.detail = "other"
