from pathlib import Path

from holdfast.capture.findings.base import Severity
from support.scene import Scene


def test_the_same_address_on_both_ends(tmp_path: Path) -> None:
    scene = Scene().call().lcp().authenticate().encrypt().address("10.0.0.1", "10.0.0.1").talk()
    assert scene.findings(tmp_path)["ipcp-address-conflict"].severity is Severity.FAULT


def test_one_address_for_two(tmp_path: Path) -> None:
    first = Scene().up()
    second = Scene(client="192.0.2.11", server_call=201, now=first.now).up()
    first.now = second.now
    assert "ipcp-address-conflict" in first.talk().goodbye().together(second).findings(tmp_path)


def test_one_after_the_other(tmp_path: Path) -> None:
    first = Scene().up().goodbye()
    second = Scene(client="192.0.2.11", server_call=201, now=first.now + 1).up()
    assert "ipcp-address-conflict" not in first.together(second).findings(tmp_path)


def test_a_user_who_came_back_from_elsewhere(tmp_path: Path) -> None:
    """The server goes on asking the old address for a while; the client that had it is gone."""
    old = Scene().up()
    new = Scene(client="192.0.2.11", server_call=201, now=old.now + 3).up()
    for number in range(5):
        old.wait(2).ppp(False, 0xC021, 9, b"\x22" * 4, number)
    assert "ipcp-address-conflict" not in old.together(new).findings(tmp_path)
