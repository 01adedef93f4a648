from pathlib import Path

from support.scene import Scene


def test_a_session_that_is_well_says_why(tmp_path: Path) -> None:
    diagnosis = Scene().up().goodbye().diagnosis(tmp_path)
    assert diagnosis.verdict == "healthy"
    assert "128 bits" in {finding.id: finding for finding in diagnosis.judgement.all}["healthy"].why
