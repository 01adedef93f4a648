"""`holdfast dial`: what is asked for becomes tunnels; nothing is dialled here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import dial as command
from holdfast.cli.main import main
from holdfast.dialer.service import Cleaned, Wanted
from holdfast.dialer.settings import RouteMode
from holdfast.errors import HostError
from holdfast.ppp.config import MppePolicy
from holdfast.secret import Secret


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """What would have been dialled."""
    seen: list[Wanted] = []

    async def keep_up(tunnels: Sequence[Wanted], _state: Path, _view: Any, _metrics: Any) -> int:
        seen.extend(tunnels)
        return 3

    monkeypatch.setattr(command, "keep_up", keep_up)
    return seen


@pytest.fixture
def password(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return str(path)


def run(*arguments: str) -> int:
    return main(["dial", *arguments])


def test_a_server_and_a_user(wanted: list[Wanted], password: str) -> None:
    assert run("vpn.example", "--user", "alice", "--password-file", password) == 3
    (one,) = wanted
    assert (one.settings.host, one.settings.user, one.settings.name) == ("vpn.example", "alice", "default")
    assert one.password == Secret.from_text("correct horse")
    assert one.settings.link.mppe is MppePolicy.REQUIRE


def test_options_and_keys(wanted: list[Wanted], password: str) -> None:
    options = ("--routes", "full", "--network", "10.0.0.0/8", "--kill-switch", "--once", "--mppe", "prefer")
    keys = ("--set", "mtu=1300", "--set", "dns=none", "--set", 'hooks=["/bin/true"]', "--set", "heartbeat=10.0.0.1")
    assert run("vpn.example", "-u", "alice", "--name", "office", "--password-file", password, *options, *keys) == 3
    settings = wanted[0].settings
    assert (settings.name, settings.routes.mode, settings.link.mtu) == ("office", RouteMode.FULL, 1300)
    assert settings.kill_switch
    assert not settings.reconnect.persist
    assert settings.keepalive.heartbeat == "10.0.0.1"
    assert settings.hooks == (Path("/bin/true"),)


def test_the_password_on_standard_input(wanted: list[Wanted], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "read_secret_line", lambda: "from stdin")
    assert run("vpn.example", "-u", "alice", "--password-stdin") == 3
    assert wanted[0].password == Secret.from_text("from stdin")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "which server?"),
        (("vpn.example",), "which user?"),
        (("vpn.example", "-u", "a", "--network", "x"), "networks"),
        (("vpn.example", "-u", "a", "--set", "roots=full"), "Did you mean 'routes'"),
        (("vpn.example", "-u", "a", "--set", "mtu"), "write it as KEY=VALUE"),
        (("vpn.example", "-u", "a", "--name", "../x"), "pattern"),
        (("--config", "/nonexistent"), "cannot be read"),
        (("--peers", "/nonexistent"), "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    wanted: list[Wanted], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert run(*arguments) == 2
    assert words in capsys.readouterr().err
    assert wanted == []


def test_tunnels_of_a_file(wanted: list[Wanted], tmp_path: Path, password: str) -> None:
    path = tmp_path / "dial.toml"
    tables = [f'[tunnel.{name}]\nhost = "h"\nuser = "u"\npassword_file = "{password}"' for name in ("one", "two")]
    path.write_text("\n".join(tables))
    assert run("--config", str(path)) == 3
    assert [one.settings.name for one in wanted] == ["one", "two"]


def test_a_peers_file_is_explained(wanted: list[Wanted], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "office"
    path.write_text('pty "pptp vpn.example --nolaunchpppd"\nname alice\nmppe required\nlock\nfrobnicate\n')
    assert run("--peers", str(path), "--explain") == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line[0] for line in lines] == [" ", " ", "!", "-", "?"]
    assert f"{path}:3: mppe required" in lines[2]
    assert wanted == []


def test_status_and_clean_without_any_tunnel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", "--json", "--state", str(tmp_path)) == 1
    assert capsys.readouterr().out == "[]\n"
    assert run("status", "--state", str(tmp_path)) == 1
    assert "no tunnel runs" in capsys.readouterr().err
    assert run("--clean", "--state", str(tmp_path)) == 0
    assert "nothing was left" in capsys.readouterr().out


def test_status_as_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    one = {"name": "office", "server": "vpn.example", "state": "up", "seconds_in_state": 61.0, "last_end": None}
    up = {"local": "10.0.0.9", "encryption": "MPPE 128 bit stateless"}
    counters = {"bytes_in": 1000, "bytes_out": 2000}
    monkeypatch.setattr(command, "statuses", lambda _state: [{**one, "up": up, "counters": counters}])
    assert run("status") == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("office", "vpn.example", "61 s", "10.0.0.9", "MPPE 128", "1000", "2000"))


def test_status_says_which_probes_are_not_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"name": "office", "server": "x", "state": "up", "seconds_in_state": 1.0}
    empty = {"last_end": None, "up": None, "counters": None}
    well, bad = {"ok": True, "result": "ok"}, {"ok": False, "result": "tls"}
    probes = [
        {"name": "new", "failed": False, "last": None},
        {"name": "names", "failed": False, "last": well},
        {"name": "page", "failed": False, "last": bad},
        {"name": "far", "failed": True, "last": bad},
    ]
    monkeypatch.setattr(command, "statuses", lambda _state: [{**one, **empty, "probes": probes}])
    assert run("status") == 0
    assert "2 ok, page failing (tls), far failed (tls)" in capsys.readouterr().out


def test_cleaning_says_what_runs_and_what_could_not_be_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck = HostError("could not undo: route x", where="network", fix="undo it by hand")
    found = Cleaned({"left": ["route y"]}, ["lives"], {"stuck": stuck})
    monkeypatch.setattr(command, "clean", lambda _state: found)
    assert run("--clean", "--state", str(tmp_path)) == 2
    told = capsys.readouterr()
    assert told.out.splitlines() == ["left: route y", "lives: a dialer runs, and what it has changed stays"]
    assert "stuck: network: could not undo: route x" in told.err
    assert "undo it by hand" in told.err
