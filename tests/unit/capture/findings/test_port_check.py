from pathlib import Path

from support.scene import Scene


def test_open_and_close(tmp_path: Path) -> None:
    diagnosis = Scene().handshake().hang_up(True).diagnosis(tmp_path)
    assert [finding.id for finding in diagnosis.judgement.all] == ["port-check"]
    assert diagnosis.verdict == "healthy"


def test_a_session_is_more(tmp_path: Path) -> None:
    assert "port-check" not in Scene().control().hang_up(True).findings(tmp_path)
