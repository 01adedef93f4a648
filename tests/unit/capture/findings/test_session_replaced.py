from pathlib import Path

from support.scene import Scene


def test_the_new_session_ends_the_old(tmp_path: Path) -> None:
    old = Scene().up()
    new = Scene(client="192.0.2.11", server_call=201, now=old.now + 60).call().lcp().authenticate()
    old.now = new.now + 0.2
    scene = old.goodbye(False).together(new.encrypt().address("10.77.0.3").talk())
    assert "session-replaced" in scene.findings(tmp_path)
