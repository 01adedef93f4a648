"""serve, sessions, status, disconnect: what they print and how they end."""

import asyncio
import json
import threading

import pytest

from holdfast.cli.main import main
from holdfast.cli.sessions import duration, octets
from holdfast.local_api import SOCKET_NAME, ApiServer

SESSION = {
    "id": "0199c0ffee",
    "user": "alice\x1b[31m",
    "client_ip": "192.0.2.7",
    "address": "10.77.0.10",
    "since": "2026-01-02T03:04:05+00:00",
    "state": "up",
    "phase": "network",
    "mppe_bits": 128,
    "mppe_mode": "stateless",
    "loss": 0.0234,
    "idle": 75.0,
    "counters": {"bytes_in": 1234, "bytes_out": 5_600_000, "round_trip_time": 0.0123},
}
STATUS = {
    "version": "1",
    "pid": 7,
    "uptime": 4000.0,
    "listen": ["0.0.0.0:1723"],
    "sessions": {"up": 3},
    "connections": 4,
    "addresses": {"used": 3, "size": 241},
    "engine": {"packets_in": 1, "bytes_in": 2, "packets_out": 3, "bytes_out": 4, "drops": {"late": 5, "malformed": 0}},
    "draining": False,
    "event_log": {"dropped": 0, "failed": ""},
}


@pytest.fixture
def answers():
    """What the stand-in for a gateway answers; a test changes it."""
    return {"sessions": [SESSION], "status": STATUS, "disconnect": []}


@pytest.fixture
def gateway(tmp_path, answers):
    """A control socket that answers, in a thread of its own; its requests are kept."""
    asked: list[tuple[str, dict]] = []
    loop = asyncio.new_event_loop()

    def verb(name):
        async def answer(arguments):
            asked.append((name, arguments))
            return answers[name]

        return answer

    server = ApiServer(tmp_path / SOCKET_NAME, {name: verb(name) for name in answers})
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield asked
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_sessions_as_a_table(tmp_path, gateway, capsys):
    assert main(["sessions", "--state", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for expected in (
        "0199c0ffee",
        "192.0.2.7",
        "10.77.0.10",
        "MPPE 128 stateless",
        "1.2 k",
        "5.6 M",
        "12.3 ms",
        "2.3 %",
        "1 min",
    ):
        assert expected in out
    assert "\x1b" not in out


def test_sessions_as_json(tmp_path, gateway, capsys):
    assert main(["sessions", "--json", "--state", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == [SESSION]


def test_nobody_is_connected(tmp_path, gateway, answers, capsys):
    answers["sessions"] = []
    assert main(["sessions", "--state", str(tmp_path)]) == 0
    assert "nobody is connected" in capsys.readouterr().out


def test_status(tmp_path, gateway, capsys):
    assert main(["status", "--state", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for expected in ("up 1 h 06 min", "0.0.0.0:1723", "3 up", "3 of 241 in use", "5 late"):
        assert expected in out
    assert "malformed" not in out
    assert main(["status", "--json", "--state", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == STATUS


def test_what_is_accounted_and_waits_is_told(tmp_path, gateway, answers, capsys):
    server = {"server": "192.0.2.10:1813", "down": True, "waiting": 2, "refused": 0, "strays": 1}
    books = {"sessions": 3, "waiting": 40, "aside": 1, "silent": True, "servers": [server]}
    answers["status"] = {**STATUS, "accounting": books}
    assert main(["status", "--state", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "3 sessions; 40 records wait, 1 of them set aside; no server takes any" in out
    assert "  accounting    192.0.2.10:1813 down, 2 waiting" in out


def test_nothing_runs(tmp_path, capsys):
    assert main(["status", "--state", str(tmp_path)]) == 1
    assert main(["sessions", "--state", str(tmp_path)]) == 2
    assert main(["disconnect", "x", "--state", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("nothing is running with this state directory") == 3


def test_disconnect(tmp_path, gateway, answers, capsys):
    assert main(["disconnect", "nobody", "--state", str(tmp_path)]) == 1
    assert "no such session" in capsys.readouterr().out
    answers["disconnect"] = [{"id": "0199c0ffee", "user": "alice"}]
    assert main(["disconnect", "--user", "alice", "--state", str(tmp_path)]) == 0
    assert "0199c0ffee alice ended" in capsys.readouterr().out
    assert gateway == [
        ("disconnect", {"session": "nobody", "user": None}),
        ("disconnect", {"session": None, "user": "alice"}),
    ]


@pytest.mark.parametrize("arguments", [[], ["a", "--user", "b"]])
def test_disconnect_wants_one_name(tmp_path, arguments, capsys):
    assert main(["disconnect", *arguments, "--state", str(tmp_path)]) == 2
    assert "not both" in capsys.readouterr().err


def test_serve_says_what_is_wrong_with_its_configuration(tmp_path, capsys):
    config = tmp_path / "bad.toml"
    config.write_text("[gateway]\nlissten = []\n")
    assert main(["serve", "--config", str(config), "--state", str(tmp_path / "s")]) == 2
    assert "listen" in capsys.readouterr().err
    assert not (tmp_path / "s").exists(), "nothing was begun"


def test_numbers_for_people():
    assert [octets(count) for count in (0, 999, 1000, 1_500_000, 2_000_000_000_000)] == [
        "0",
        "999",
        "1.0 k",
        "1.5 M",
        "2.0 T",
    ]
    assert [duration(seconds) for seconds in (None, 3.9, 125, 7260)] == [None, "3 s", "2 min", "2 h 01 min"]


@pytest.mark.parametrize(
    ("echo", "direct", "shown"),
    [(0.0123, 0.5, "12.3 ms"), (0.0, 0.5, "500.0 ms tcp"), (0.0, None, "-")],
)
def test_a_busy_session_has_a_round_trip_too(tmp_path, gateway, answers, capsys, echo, direct, shown):
    counters = {**SESSION["counters"], "round_trip_time": echo}
    answers["sessions"] = [{**SESSION, "counters": counters, "paths": {"direct_round_trip": direct}}]
    assert main(["sessions", "--state", str(tmp_path)]) == 0
    assert f" {shown} " in capsys.readouterr().out
