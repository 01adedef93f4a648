from pathlib import Path

from support.scene import Scene


def test_no_reply(tmp_path: Path) -> None:
    assert Scene().control().call_request().wait(15).hang_up(True).top(tmp_path).id == "call-unanswered"


def test_patience(tmp_path: Path) -> None:
    assert "call-unanswered" not in Scene().control().call_request().wait(2).findings(tmp_path)
