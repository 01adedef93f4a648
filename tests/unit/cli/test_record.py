"""`holdfast record`: files, limits, refusals."""

import socket
import struct

import pytest

from holdfast.cli import record as module
from holdfast.errors import HoldfastError
from holdfast.observe.recorder_live import LiveCount

FOUND = {"id": "0199c0ffee", "client_ip": "192.0.2.9", "server_ip": "192.0.2.1", "local_call_id": 5, "peer_call_id": 6}


@pytest.fixture
def gateway(monkeypatch):
    """A gateway that knows one session, and a tap that hears nothing; what was asked and done is kept."""
    seen: dict = {}

    def ask(state, verb, **arguments):
        seen["asked"] = (verb, arguments)
        if arguments["session"] == "nobody":
            raise HoldfastError("there is no such session")
        return FOUND

    def capture(tap, ends, limits, write, count: LiveCount):
        seen["ends"], seen["limits"] = ends, limits
        write(b"octets")
        count.packets, count.stopped_by_size = 3, limits.octets == 1_000_000
        if limits.seconds == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "ask", ask)
    monkeypatch.setattr(module, "capture", capture)
    monkeypatch.setattr(module, "open_tap", lambda client: socket.socket())
    return seen


def test_a_file_of_its_own(run, gateway, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run("record", "9c0f", "--seconds", "7")
    assert (ran.code, ran.err) == (0, "3 packets written to 0199c0ffee.pcapng\n")
    path = tmp_path / "0199c0ffee.pcapng"
    assert path.read_bytes() == b"octets"
    assert path.stat().st_mode & 0o777 == 0o600
    assert gateway["asked"] == ("record", {"session": "9c0f", "full": False})
    assert (gateway["ends"].client, gateway["ends"].peer_call_id) == ("192.0.2.9", 6)
    assert not gateway["limits"].full
    again = run("record", "9c0f")
    assert again.code == 2
    assert "there is such a file already" in again.err


def test_limits_and_full(run, gateway, tmp_path):
    ran = run("record", "9c0f", "--full", "--megabytes", "1", "-o", tmp_path / "a.pcapng")
    assert "and then it was full" in ran.err
    assert (gateway["limits"].full, gateway["limits"].seconds) == (True, 60)
    assert run("record", "9c0f", "--seconds", "100000").code == 2


def test_what_cannot_be(run, gateway, tmp_path):
    assert "there is no such session" in run("record", "nobody").err
    assert run("record", "9c0f", "-o", tmp_path / "nowhere" / "a.pcapng").code == 2


def test_without_a_gateway(run):
    assert run("record", "9c0f").code == 2


def test_standard_output_can_be_followed(gateway, capfdbinary):
    with module._destination("-") as file:
        file.write(struct.pack("<I", 7))
    assert capfdbinary.readouterr().out == b"\x07\0\0\0"
