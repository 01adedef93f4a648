from pathlib import Path

from support.scene import Scene


def test_no_reply(tmp_path: Path) -> None:
    assert Scene().control().call_request().wait(15).hang_up(True).top(tmp_path).id == "call-unanswered"


def test_patience(tmp_path: Path) -> None:
    assert "call-unanswered" not in Scene().control().call_request().wait(2).findings(tmp_path)


def test_a_server_that_hangs_up_instead_of_answering(tmp_path: Path) -> None:
    assert Scene().control().call_request().wait(0.2).hang_up(False).top(tmp_path).id == "call-unanswered"


def test_an_impatient_client_proves_nothing(tmp_path: Path) -> None:
    assert "call-unanswered" not in Scene().control().call_request().wait(0.2).hang_up(True).findings(tmp_path)
