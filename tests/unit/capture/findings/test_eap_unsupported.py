from pathlib import Path

from holdfast.ppp.framing import Protocol
from support.scene import Scene

EAP = b"\xc2\x27"


def test_eap_or_nothing(tmp_path: Path) -> None:
    scene = Scene().call().agree(True, Protocol.LCP, (5, b"abcd"))
    for number in range(3):
        scene.configure(False, Protocol.LCP, 1, (3, EAP), identifier=number)
        scene.configure(True, Protocol.LCP, 3, (3, b"\xc2\x23\x81"), identifier=number)
    assert scene.goodbye(False, b"peer refused to authenticate").top(tmp_path).id == "eap-unsupported"


def test_eap_failure(tmp_path: Path) -> None:
    scene = Scene().call().lcp(EAP).ppp(False, Protocol.EAP, 1, b"\x01").ppp(True, Protocol.EAP, 2, b"\x03\x04")
    assert scene.ppp(False, Protocol.EAP, 4).goodbye(False, b"").top(tmp_path).id == "eap-unsupported"


def test_the_option_dropped_and_the_call_with_it(tmp_path: Path) -> None:
    scene = Scene().call().agree(True, Protocol.LCP, (5, b"abcd"))
    scene.configure(False, Protocol.LCP, 1, (3, EAP)).configure(True, Protocol.LCP, 3, (3, b"\xc2\x23\x81"))
    scene.agree(False, Protocol.LCP, (5, b"efgh")).configure(True, Protocol.IPCP, 1, (3, bytes(4)))
    found = scene.goodbye(False, b"peer refused to authenticate").findings(tmp_path)
    assert "eap-unsupported" in found
    assert "ipcp-no-agreement" not in found


def by_eap(scene: Scene, *rounds: tuple[bytes, bytes]) -> Scene:
    """Let LCP agree on EAP; the server asks and the client answers."""
    scene = scene.call().lcp(EAP)
    for identifier, (asked, answered) in enumerate(rounds, start=1):
        scene.ppp(False, Protocol.EAP, 1, asked, identifier).ppp(True, Protocol.EAP, 2, answered, identifier)
    return scene


IDENTITY = (b"\x01", b"\x01alice")
TLS = (b"\x0d\x20", b"\x0d\x80hello")


def test_eap_that_works_is_no_fault(tmp_path: Path) -> None:
    scene = by_eap(Scene(), IDENTITY, (b"\x19\x20", b"\x03\x0d"), TLS).ppp(False, Protocol.EAP, 3, b"", 3)
    scene.encrypt().address().talk()
    first = scene.top(tmp_path)
    assert first.id == "healthy"
    assert "lice was accepted by EAP-TLS" in first.why


def test_a_failure_inside_a_method_is_a_refusal(tmp_path: Path) -> None:
    scene = by_eap(Scene(), IDENTITY, TLS).ppp(False, Protocol.EAP, 4, b"", 2).goodbye(False, b"")
    found = scene.findings(tmp_path)
    assert "eap-unsupported" not in found
    assert found["auth-rejected"].why.startswith("User alice by eap")


def test_a_server_that_never_decides(tmp_path: Path) -> None:
    scene = by_eap(Scene(), IDENTITY, TLS).wait(20).goodbye(False, b"")
    assert scene.top(tmp_path).id == "auth-unanswered"


def test_a_client_that_stops_answering_is_not_the_servers_silence(tmp_path: Path) -> None:
    scene = by_eap(Scene(), IDENTITY, TLS).ppp(False, Protocol.EAP, 1, b"\x0d\0", 3).wait(20).goodbye(False, b"")
    assert "auth-unanswered" not in scene.findings(tmp_path)
