import json
from pathlib import Path

import pytest

from holdfast.cli.main import main
from support.scene import CLIENT, SERVER, Scene


def test_exit_codes_and_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(Scene().up().goodbye().write(tmp_path))]) == 0
    assert "All is well." in capsys.readouterr().out
    assert main(["diagnose", str(Scene().call().lcp().refuse().goodbye(False).write(tmp_path))]) == 1
    assert "auth-rejected" in capsys.readouterr().out
    assert main(["diagnose", str(Scene().udp((CLIENT, 1), (SERVER, 2), b"").write(tmp_path))]) == 0
    assert "No PPTP" in capsys.readouterr().out


@pytest.mark.parametrize("octets", [b"", b"\n", b"no capture at all"])
def test_what_cannot_be_read_is_two(tmp_path: Path, capsys: pytest.CaptureFixture[str], octets: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(octets)
    assert main(["diagnose", str(path)]) == 2
    captured = capsys.readouterr()
    assert str(path) in captured.err
    assert captured.out == ""


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "--json", str(Scene().up().write(tmp_path))]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "healthy"


def test_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    assert main(["diagnose", "--html", str(page), str(Scene().up().write(tmp_path))]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().err == ""
