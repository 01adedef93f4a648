from pathlib import Path

from support.scene_inside import InsideScene


def test_another_password(tmp_path: Path) -> None:
    found = {each.id: each for each in InsideScene().opened().with_password(tmp_path, b"wrong").judgement.all}
    assert "another password" in found["password-differs"].why


def test_the_same_one(tmp_path: Path) -> None:
    assert "password-differs" not in {each.id for each in InsideScene().opened().with_password(tmp_path).judgement.all}
