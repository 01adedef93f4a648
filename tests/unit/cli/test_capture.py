import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast.cli.capture import command, pcap_filter
from holdfast.cli.main import main
from holdfast.errors import HoldfastError


@pytest.mark.parametrize("host", ["", "192.0.2.1", "2001:db8::1"])
def test_tcpdump_understands_the_filter(host: str) -> None:
    if shutil.which("tcpdump") is None:
        pytest.skip("no tcpdump")
    for kind, vlan in (("EN10MB", True), ("LINUX_SLL2", False)):
        arguments = ["tcpdump", "-d", "-y", kind, pcap_filter(host, vlan=vlan)]
        assert subprocess.run(arguments, check=False, capture_output=True).returncode == 0


def test_another_port() -> None:
    assert "tcp port 7723 or proto 47" in pcap_filter("", vlan=False, port=7723)


def test_what_is_no_address_never_reaches_the_filter() -> None:
    with pytest.raises(HoldfastError, match="no IP address"):
        pcap_filter("192.0.2.1 or port 22", vlan=False)


def test_privacy_is_the_default() -> None:
    arguments = command(Path("x"), interface="eth0", host="", whole=False)
    assert arguments[arguments.index("-s") + 1] == "256"
    assert "vlan" in arguments[-1]
    whole = command(Path("x"), interface="any", host="", whole=True)
    assert whole[whole.index("-s") + 1] == "262144"
    assert "vlan" not in whole[-1]


def test_a_file_that_exists_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "there.pcap"
    path.write_bytes(b"precious")
    assert main(["capture", str(path)]) == 2
    assert path.read_bytes() == b"precious"
    assert "already" in capsys.readouterr().err


def test_an_interface_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "-i", "nowhere0", "--seconds", "1", str(tmp_path / "x.pcap")]) == 2
    assert "tcpdump" in capsys.readouterr().err
    assert not (tmp_path / "x.pcap").exists()
    assert main(["capture", "-i", "lo", str(tmp_path / "no" / "such.pcap")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.root
def test_it_ends_by_itself_and_leaves_a_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "loopback.pcap"
    assert main(["capture", "-i", "lo", "--host", "127.0.0.77", "--seconds", "1", str(path)]) == 0
    assert main(["diagnose", str(path)]) == 0
    assert "No PPTP" in capsys.readouterr().out
    assert path.stat().st_mode & 0o777 == 0o600
