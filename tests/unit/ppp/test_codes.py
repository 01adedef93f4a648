"""Code numbers and their names in the words of the RFCs."""

import pytest

from holdfast.ppp.codes import FUNDAMENTAL_CODES, MAGIC_CODES, Code, code_name
from holdfast.ppp.framing import Protocol


@pytest.mark.parametrize(
    ("protocol", "code", "name"),
    [
        (Protocol.LCP, 1, "Configure-Request"),
        (Protocol.IPCP, 3, "Configure-Nak"),
        (Protocol.LCP, 8, "Protocol-Reject"),
        (Protocol.LCP, 13, "Time-Remaining"),
        (Protocol.CCP, 14, "Reset-Request"),
        (Protocol.LCP, 42, "code 0x2a"),
        (Protocol.PAP, 1, "Authenticate-Request"),
        (Protocol.CHAP, 1, "Challenge"),
        (Protocol.CHAP, 7, "Change-Password"),
        (Protocol.CHAP, 9, "code 0x09"),
        (Protocol.EAP, 4, "Failure"),
    ],
)
def test_names(protocol: int, code: int, name: str) -> None:
    assert code_name(protocol, code) == name


def test_sets() -> None:
    assert set(range(1, 8)) == FUNDAMENTAL_CODES
    assert {9, 10, 11, 12, 13} == MAGIC_CODES
    assert Code.RESET_ACK == 15
