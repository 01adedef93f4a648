from pathlib import Path

from support.scene import Scene


def test_the_clients_own_words(tmp_path: Path) -> None:
    diagnosis = Scene().up().goodbye(True, b"User request").diagnosis(tmp_path)
    ids = {finding.id for finding in diagnosis.judgement.all}
    assert {"user-disconnect", "healthy"} <= ids
    assert "client-ended" not in ids
    assert diagnosis.verdict == "healthy"
