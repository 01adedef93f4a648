"""Commands are plain and frozen."""

from dataclasses import FrozenInstanceError

import pytest

from holdfast.control.commands import AnswerCall, CloseTransport


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        AnswerCall(1, 2, incoming=False).peer_call_id = 3
    with pytest.raises(FrozenInstanceError):
        CloseTransport("over").detail = ""
