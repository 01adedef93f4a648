from pathlib import Path

from support.scene import ACK, FIN, Scene


def test_open_and_close(tmp_path: Path) -> None:
    diagnosis = Scene().handshake().hang_up(True).diagnosis(tmp_path)
    assert [finding.id for finding in diagnosis.judgement.all] == ["port-check"]
    assert diagnosis.verdict == "healthy"


def test_a_session_is_more(tmp_path: Path) -> None:
    assert "port-check" not in Scene().control().hang_up(True).findings(tmp_path)


def test_a_server_that_waited_in_vain(tmp_path: Path) -> None:
    diagnosis = Scene().handshake().wait(10).hang_up(False).diagnosis(tmp_path)
    assert [finding.id for finding in diagnosis.judgement.all] == ["port-check"]


def test_a_server_that_closes_at_once_has_another_reason(tmp_path: Path) -> None:
    assert "port-check" not in Scene().handshake().hang_up(False).findings(tmp_path)


def test_data_that_was_lost_on_the_way_was_data(tmp_path: Path) -> None:
    scene = Scene().handshake().wait(8)
    scene.tcp_numbers[True] += 156
    assert "port-check" not in scene.tcp(True, FIN | ACK).findings(tmp_path)
