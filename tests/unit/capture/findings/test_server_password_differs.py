from pathlib import Path

from support.scene_inside import InsideScene


def scene() -> InsideScene:
    made = InsideScene()
    made.call().lcp()
    return made


def test_the_right_password_is_refused(tmp_path: Path) -> None:
    refused = scene().prove(accept=False)
    refused.goodbye(False, b"Authentication failed")
    found = [each.id for each in refused.with_password(tmp_path).judgement.all]
    assert found[0] == "server-password-differs"
    assert "auth-rejected" not in found


def test_a_server_with_a_wrong_proof(tmp_path: Path) -> None:
    found = scene().prove(server_password=b"other").with_password(tmp_path).judgement.all
    assert "server-password-differs" in [each.id for each in found]
