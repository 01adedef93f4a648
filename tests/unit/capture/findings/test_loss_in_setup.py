from pathlib import Path

from holdfast.capture.findings.base import Severity, Towards
from holdfast.ppp.framing import Protocol
from support.scene import MPPE_128, Scene

OPTION = (18, MPPE_128.to_bytes(4))
ADDRESS = (3, b"\x0a\x00\x00\x02")


def negotiated(scene: Scene, *, arrives: bool, seen: bool) -> Scene:
    """CCP, in which the client's Ack arrives or not, and is seen or not; then IPCP, which the server turns away."""
    scene.call().lcp().authenticate().agree(True, Protocol.CCP, OPTION)
    scene.configure(False, Protocol.CCP, 1, OPTION, identifier=9)
    if seen:
        scene.configure(True, Protocol.CCP, 2, OPTION, identifier=9)
    else:
        scene.lose(True)
    scene.configure(True, Protocol.IPCP, 1, ADDRESS, identifier=5).wait(3)
    if not arrives:
        scene.configure(False, Protocol.CCP, 1, OPTION, identifier=9)
    return scene.ppp(False, Protocol.IPCP, 6, b"", 5).goodbye()


def test_an_answer_that_was_lost_beyond_the_place_of_capture(tmp_path: Path) -> None:
    top = negotiated(Scene(), arrives=False, seen=True).top(tmp_path)
    assert (top.id, top.severity, top.towards) == ("gre-loss", Severity.FAULT, Towards.SERVER)
    assert len(top.evidence) == 3


def test_and_one_that_was_lost_before(tmp_path: Path) -> None:
    found = negotiated(Scene(), arrives=False, seen=False).findings(tmp_path)
    assert "gre-loss" in found
    assert "ipcp-no-agreement" not in found


def test_without_a_loss_it_is_a_matter_of_addresses(tmp_path: Path) -> None:
    found = negotiated(Scene(), arrives=True, seen=True).findings(tmp_path)
    assert "gre-loss" not in found
    assert "nobody refused" in found["ipcp-no-agreement"].why
