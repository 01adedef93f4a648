"""Viewers and operators at a whole gateway: processes of other accounts, which the kernel lets in or not."""

import json
from collections.abc import Iterator

import pytest

from holdfast.local_api import SOCKET_NAME
from support.accounts import DAEMON, GAMES, NOBODY, holdfast_as, reachable_folder
from support.gateway_lab import GatewayLab
from support.lab_gateway import Gateway

pytestmark = pytest.mark.root
FOR_ALL = {SOCKET_NAME, "log-signing.pub"}


@pytest.fixture
def reachable(lab: GatewayLab) -> Iterator[GatewayLab]:
    """The lab, with its files where other accounts can come by."""
    with reachable_folder() as folder:
        folder.chmod(0o711)
        lab.folder = folder
        yield lab
        lab.running.close()


def ask(gateway: Gateway, uid: int, *arguments: str) -> tuple[int, str]:
    return holdfast_as(uid, *arguments, "--state", str(gateway.state))


def test_each_account_may_do_what_it_is_listed_for(reachable: GatewayLab) -> None:
    gateway = reachable.serve(control={"viewers": ["daemon"], "operators": ["games"]})
    reachable.dial().wait_up()
    code, text = ask(gateway, DAEMON, "sessions", "--json")
    assert code == 0, text
    (session,) = json.loads(text)
    assert ask(gateway, DAEMON, "status")[0] == 0
    assert ask(gateway, DAEMON, "why", session["id"])[0] == 0
    code, text = ask(gateway, DAEMON, "disconnect", session["id"])
    assert (code, "uid 1 may not ask for 'disconnect'" in text) == (2, True), text
    assert ask(gateway, NOBODY, "status")[0] == 2
    code, text = ask(gateway, GAMES, "events", "trace", "--user", "alice")
    assert code == 0, text
    code, text = ask(gateway, GAMES, "disconnect", session["id"])
    assert code == 0, text
    gateway.wait_event("TEARDOWN")
    acts = [(event["action"], event["target"], event["by"].partition(" (")[0]) for event in gateway.events("ADMIN")]
    assert ("refused", "disconnect", "uid 1") in acts
    assert ("disconnect", session["id"], "uid 5") in acts
    for path in gateway.state.rglob("*"):
        assert path.name in FOR_ALL or not path.stat().st_mode & 0o077 or path.is_dir(), path.name
    assert gateway.state.stat().st_mode & 0o066 == 0


def test_a_reload_changes_who_may(reachable: GatewayLab) -> None:
    gateway = reachable.serve(control={"viewers": ["daemon"]})
    assert ask(gateway, DAEMON, "sessions", "--json")[0] == 0
    file = gateway.state.parent / "gateway.toml"
    file.write_text(file.read_text().replace('"daemon"', '"games"'))
    assert gateway.ask("reload")["now"] == ["control.viewers: ['daemon'] -> ['games']"]
    assert ask(gateway, DAEMON, "sessions", "--json")[0] == 2
    assert ask(gateway, GAMES, "sessions", "--json")[0] == 0


def lines(gateway: Gateway, uid: int, *arguments: str) -> list[dict]:
    code, text = ask(gateway, uid, "events", "--json", *arguments)
    assert code == 0, text
    return [json.loads(line) for line in text.splitlines()]


def test_viewers_read_the_log_and_operators_the_packets_in_it(reachable: GatewayLab) -> None:
    gateway = reachable.serve(control={"viewers": ["daemon"], "operators": ["games"]}, log={"level": "debug"})
    reachable.dial().wait_up()
    gateway.wait_event("IP_UP")
    (up,) = lines(gateway, DAEMON, "--event", "IP_UP")
    assert [one["event"] for one in lines(gateway, DAEMON, "--session", up["session"], "--event", "AUTH_SUCCESS")]
    seen = lines(gateway, DAEMON, "--limit", "0")
    assert [one["seq"] for one in seen] == sorted(one["seq"] for one in seen)
    assert {"CONNECT", "IP_UP"} <= {one["event"] for one in seen}
    assert "PPP_PACKET" not in {one["event"] for one in seen}
    assert "PPP_PACKET" in {one["event"] for one in lines(gateway, GAMES, "--limit", "0")}
    assert len(lines(gateway, DAEMON, "--limit", "3")) == 3
    assert ask(gateway, NOBODY, "events")[0] == 2
    for words in (("verify",), ("who", "user-x"), ("purge",)):
        assert ask(gateway, DAEMON, "events", *words)[0] != 0


def test_with_pseudonyms_a_viewer_reads_pseudonyms(reachable: GatewayLab) -> None:
    gateway = reachable.serve(control={"viewers": ["daemon"]}, log={"pseudonyms": True})
    reachable.dial().wait_up()
    gateway.wait_event("IP_UP")
    (up,) = lines(gateway, DAEMON, "--event", "IP_UP")
    assert up["user"].startswith("user-")
    assert lines(gateway, DAEMON, "--user", "alice") == []
    assert "alice" not in str(lines(gateway, DAEMON, "--limit", "0"))
    assert lines(gateway, DAEMON, "--user", up["user"])
