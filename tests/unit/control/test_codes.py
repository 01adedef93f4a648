"""Codes and their meanings."""

import pytest

from holdfast.control.codes import (
    CauseCode,
    Code,
    DisconnectResult,
    GeneralError,
    IncomingCallResult,
    OutgoingCallResult,
    Role,
    StartResult,
    StopReason,
)


@pytest.mark.parametrize(
    ("codes", "values"),
    [
        (GeneralError, range(7)),
        (StartResult, range(1, 6)),
        (StopReason, range(1, 4)),
        (OutgoingCallResult, range(1, 8)),
        (IncomingCallResult, range(1, 4)),
        (DisconnectResult, range(1, 5)),
    ],
)
def test_the_registered_values(codes: type[Code], values: range) -> None:
    """The lists of RFC 2637 sections 2.2, 2.3, 2.8, 2.10, 2.13 and 2.16."""
    assert [int(code) for code in codes] == list(values)
    assert all(code.meaning for code in codes)


def test_describe() -> None:
    assert GeneralError.describe(5) == "5 (Bad-Call ID: the Call ID is invalid here)"
    assert DisconnectResult.describe(0) == "0 (unregistered)"
    assert CauseCode.describe(16) == "16 (normal call clearing)"


def test_roles_face_each_other() -> None:
    assert Role.PAC.peer is Role.PNS
    assert Role.PNS.peer is Role.PAC
