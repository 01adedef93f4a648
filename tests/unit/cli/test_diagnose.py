import io
import json
from pathlib import Path

import pytest

from holdfast.capture.reading import read
from holdfast.cli.main import main
from holdfast.ppp.crypto import nt_password_hash
from support.scene import CLIENT, SERVER, Scene, ip
from support.scene_inside import PASSWORD, InsideScene


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


def test_a_password_from_a_file_or_standard_input_and_never_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = InsideScene().opened().inner(True, ip("10.77.0.2", "10.0.0.5", 17, bytes(20))).write(tmp_path)
    secret, hashed, out = tmp_path / "secret", tmp_path / "hash", tmp_path / "inside.pcapng"
    secret.write_bytes(PASSWORD + b"\n")
    hashed.write_text(nt_password_hash(PASSWORD).hex())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PASSWORD + b"\n")))
    for option in (["--password-file", str(secret)], ["--nt-hash-file", str(hashed)], ["--password-stdin"]):
        assert main(["diagnose", "--json", *option, "--decrypted", str(out), str(capture)]) == 0
        assert json.loads(capsys.readouterr().out)["sessions"][0]["inside"]["deciphered"] == 1
    assert read([str(out)]).counts.frames == 1
    assert main(["diagnose", "--password-file", str(secret), "--nt-hash-file", str(hashed), str(capture)]) == 2
    assert main(["diagnose", "--nt-hash-file", str(secret), str(capture)]) == 2
    assert main(["diagnose", "--decrypted", str(out), str(capture)]) == 2
    assert main(["diagnose", "--password-file", str(tmp_path / "nowhere"), str(capture)]) == 2
    assert PASSWORD.decode() not in "".join(capsys.readouterr())


def test_two_captures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene().up().goodbye()
    near = scene.write(tmp_path, "near.pcap")
    del scene.frames[40]
    far = scene.write(tmp_path, "far.pcap")
    assert main(["diagnose", "--client", str(near), "--server", str(near)]) == 0
    assert "every GRE frame arrives" in capsys.readouterr().out
    assert main(["diagnose", "--json", "--client", str(near), "--server", str(far)]) == 1
    data = json.loads(capsys.readouterr().out)
    assert sum(data["pairs"][0][way]["vanished"] for way in ("client_to_server", "server_to_client")) == 1
    assert main(["diagnose", "--client", str(near)]) == 2
    assert main(["diagnose", str(near), "--client", str(near), "--server", str(far)]) == 2


def test_nothing_to_read_is_wrong_usage() -> None:
    assert main(["diagnose"]) == 2


def test_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "syslog"
    log.write_text("Jan  1 00:00:00 host pppd[7]: Peer bob failed CHAP authentication\n", encoding="utf-8")
    assert main(["diagnose", "--log", str(log)]) == 1
    assert "auth-rejected" in capsys.readouterr().out
    assert main(["diagnose", "--json", "--log", str(log)]) == 1
    assert json.loads(capsys.readouterr().out)["logs"][0]["sessions"][0]["user"] == "bob"
    log.write_text("pppd[7]: local  IP address 10.0.0.1\npppd[7]: remote IP address 10.0.0.2\n", encoding="utf-8")
    assert main(["diagnose", "--log", str(log)]) == 0
    assert main(["diagnose", "--log", str(tmp_path / "nowhere")]) == 2
