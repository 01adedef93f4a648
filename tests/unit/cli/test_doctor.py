import json
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from holdfast.advise.facts import Daemon, HostFacts
from holdfast.advise.reach import Reach, Tcp
from holdfast.cli import doctor
from holdfast.cli.main import main
from support.hosts import SERVER


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let the command see recorded facts instead of this machine."""
    told: dict[str, Any] = {"facts": SERVER, "asked": []}

    class Reader:
        def read(self, **asked: Any) -> HostFacts:
            told["asked"].append(asked)
            return replace(told["facts"], daemon=asked.get("daemon") or told["facts"].daemon)

        def peer(self, server: str) -> Daemon:
            told["peer"] = server
            return Daemon("client")

    monkeypatch.setattr(doctor, "HostReader", Reader)
    return told


def test_a_server_that_is_well(host: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--role", "server"]) == 0
    assert host["asked"] == [{"daemon": None}]
    assert "ok       pptpd listens on TCP port 1723.  [listener]" in capsys.readouterr().out


def test_a_fault_is_shown_with_what_was_seen_and_the_fix(
    host: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    host["facts"] = replace(SERVER, sysctl={"net/ipv4/ip_forward": "0"})
    assert main(["doctor", "--role", "server"]) == 1
    shown = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(shown) if line.startswith("FAULT"))
    assert shown[at + 1] == "         seen: /proc/sys/net/ipv4/ip_forward is 0"
    assert shown[at + 2] == "         fix:  sysctl -w net.ipv4.ip_forward=1"
    assert shown[-1].endswith("1 fault, 0 unknown")


def test_json(host: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--role", "nat-router", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["role"], told["verdict"]) == ("nat-router", "fault")
    assert {"id", "verdict", "title", "evidence", "fixes"} == set(told["checks"][0])


def test_a_client_is_tried_on_its_server(
    host: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def attempt(server: IPv4Address, **options: Any) -> Reach:
        asked.append((server, options))
        return Reach(server, Tcp.REFUSED, "Connection refused")

    monkeypatch.setattr(doctor, "try_server", attempt)
    assert main(["doctor", "--role", "client", "--server", "198.51.100.9", "--no-call", "--patience", "2"]) == 1
    assert asked == [(IPv4Address("198.51.100.9"), {"call": False, "patience": 2.0})]
    assert host["peer"] == "198.51.100.9"
    assert "[tcp-1723]" in capsys.readouterr().out


def test_a_name_that_nobody_knows(host: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--role", "client", "--server", "no-such-name.invalid"]) == 1
    assert "[server-name]" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--role", "client"], ["--role", "server", "--server", "x"], ["--role", "cook"], []]
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert main(["doctor", *arguments]) == 2
