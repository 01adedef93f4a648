from pathlib import Path

from holdfast.capture.findings.base import Severity
from holdfast.ppp.framing import Protocol
from support.scene import Scene


def test_zero_is_no_address(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt()
    for number in range(3):
        scene.configure(True, Protocol.IPCP, 1, (3, bytes(4)), identifier=number)
        scene.configure(False, Protocol.IPCP, 3, (3, bytes(4)), identifier=number)
    top = scene.goodbye(False, b"Could not determine remote IP address").top(tmp_path)
    assert (top.id, top.severity) == ("ipcp-no-address", Severity.FAULT)


def test_a_nak_with_an_address_is_the_normal_way(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt()
    scene.configure(True, Protocol.IPCP, 1, (3, bytes(4)), identifier=90)
    scene.configure(False, Protocol.IPCP, 3, (3, b"\x0a\x4d\x00\x02"), identifier=90)
    assert scene.address().talk().diagnosis(tmp_path).verdict == "healthy"
