"""`holdfast dial` against the gateway, in namespaces: coming up, leaving, and the host afterwards."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dialling import GATEWAY, HOLDFAST, PASSWORD, DialWorld, dial_world, has_traffic, wait

pytestmark = pytest.mark.root
FULL = ("--routes", "full", "--set", "dns=none")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    with dial_world(tmp_path_factory.mktemp("dial")) as made:
        made.serve()
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> Iterator[DialWorld]:
    """The world with a fresh place for dialers."""
    shared.folder = tmp_path
    yield shared
    shared.end_dialers()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("method", ["halves", "rules"])
def test_up_and_away_without_a_trace(world: DialWorld, number: signal.Signals, method: str) -> None:
    before = world.picture()
    dialled = world.dial(*FULL, "--set", f"full_method={method}")
    dialled.wait_up()
    assert world.pings()
    assert "pptp0" in world.dialer.ip("route", "get", "8.8.8.8")
    assert "via 192.0.2.1" in world.dialer.ip("route", "get", GATEWAY)
    assert dialled.stop(number) == 0, dialled.output()
    assert world.picture() == before
    assert dialled.ends() == ["user_request"]


def test_status_tells_what_is_up(world: DialWorld) -> None:
    dialled = world.dial(*FULL)
    dialled.wait_up()
    wait(lambda: has_traffic(dialled), 5, dialled.output)
    status = dialled.status()
    assert (status["state"], status["server"], status["user"]) == ("up", GATEWAY, "alice")
    assert status["up"]["encryption"] == "MPPE 128 bit stateless"
    order = ["name", "tcp", "control", "call", "lcp", "authentication", "encryption", "address", "host", "traffic"]
    assert [step["phase"] for step in status["phases"]] == order
    assert dialled.stop() == 0


def test_killed_and_cleaned(world: DialWorld) -> None:
    before = world.picture()
    dialled = world.dial(*FULL, "--kill-switch")
    dialled.wait_up()
    assert dialled.stop(signal.SIGKILL) == -9
    assert world.picture() != before
    clean = world.dialer.run(*HOLDFAST, "dial", "--clean", "--state", dialled.state)
    assert "table inet holdfast-default" in clean
    assert world.picture() == before
    assert "nothing was left" in world.dialer.run(*HOLDFAST, "dial", "--clean", "--state", dialled.state)


def test_killed_and_started_again(world: DialWorld) -> None:
    before = world.picture()
    world_dial = world.dial(*FULL)
    world_dial.wait_up()
    world_dial.stop(signal.SIGKILL)
    again = world.dial(*FULL)
    again.wait_up(2)
    assert "a killed predecessor left" in again.output()
    assert world.pings()
    assert again.stop() == 0
    assert world.picture() == before


def test_a_running_dialer_is_not_cleaned_away(world: DialWorld) -> None:
    dialled = world.dial(*FULL)
    dialled.wait_up()
    world.dialer.run(*HOLDFAST, "dial", "--clean", "--state", dialled.state)
    assert world.pings()
    assert dialled.stop() == 0


def test_split_reaches_the_named_networks_only(world: DialWorld) -> None:
    dialled = world.dial("--network", "10.0.0.0/8", "--set", "ask_server=false")
    dialled.wait_up()
    assert "pptp0" in world.dialer.ip("route", "get", "10.1.2.3")
    assert "pptp0" not in world.dialer.ip("route", "get", "8.8.8.8")
    assert dialled.stop() == 0


def test_the_kill_switch_holds_while_the_tunnel_is_down(world: DialWorld) -> None:
    assert world.pings("192.0.2.1")
    dialled = world.dial(*FULL, "--kill-switch")
    dialled.wait_up()
    assert world.pings()
    assert world.is_cut_off("192.0.2.1")
    world.cut("ip saddr 192.0.2.2 drop")
    try:
        wait(lambda: dialled.status().get("state") != "up", 10, dialled.output)
        assert world.is_cut_off("192.0.2.1")
    finally:
        world.heal()
    dialled.wait_up(2)
    assert dialled.stop() == 0
    assert world.pings("192.0.2.1")


def test_the_kill_switch_outlives_a_kill_without_a_gap(world: DialWorld) -> None:
    first = world.dial(*FULL, "--kill-switch")
    first.wait_up()
    knocking = world.dialer.start(
        "ping", "-q", "-i", "0.01", "192.0.2.1", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        first.stop(signal.SIGKILL)
        again = world.dial(*FULL, "--kill-switch")
        again.wait_up(2)
    finally:
        knocking.send_signal(signal.SIGINT)
    assert ", 0 received," in knocking.communicate(timeout=60)[0].decode()
    assert world.pings()
    assert world.is_cut_off("192.0.2.1")
    assert again.stop() == 0
    assert world.pings("192.0.2.1")


@pytest.mark.parametrize("bound", ["rw", "ro"])
def test_resolv_conf_is_written_and_comes_back(world: DialWorld, bound: str) -> None:
    own = world.folder / "resolv.conf"
    own.write_text("nameserver 192.0.2.53\n")
    script = f'mount --bind {own} /etc/resolv.conf && mount -o remount,bind,{bound} /etc/resolv.conf && exec "$@"'
    wrap = ("unshare", "--mount", "sh", "-c", script, "sh")
    before = world.picture()
    dialled = world.dial("--routes", "full", "--set", "dns=file", wrap=wrap)
    if bound == "ro":
        assert dialled.exit_code() == 2
        assert "/etc/resolv.conf: cannot write the file" in dialled.output()
    else:
        dialled.wait_up()
        assert "written by Holdfast" in own.read_text()
        assert dialled.stop() == 0
    assert own.read_text() == "nameserver 192.0.2.53\n"
    assert world.picture() == before


def test_hooks_are_told(world: DialWorld) -> None:
    told = world.folder / "told"
    hook = world.folder / "hook"
    hook.write_text(
        f'#!/bin/sh\necho "$HOLDFAST_EVENT $HOLDFAST_TUNNEL $HOLDFAST_INTERFACE $HOLDFAST_REASON" >> {told}\n'
    )
    hook.chmod(0o755)
    dialled = world.dial(*FULL, "--set", f'hooks=["{hook}"]')
    dialled.wait_up()
    wait(told.exists, 5, dialled.output)
    assert dialled.stop() == 0
    assert told.read_text().splitlines() == ["up default pptp0 ", "down default pptp0 user_request"]


def test_a_wrong_password_stops_at_once(world: DialWorld) -> None:
    before = world.picture()
    dialled = world.dial(*FULL, password="hunter2 hunter2")
    assert dialled.exit_code() == 2
    assert "check user name and password" in dialled.output()
    assert "hunter2" not in dialled.output()
    assert len(dialled.records("AUTH_FAIL")) == 1
    assert world.picture() == before


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("198.51.100.254", "Connection refused"),
        ("no-such-name.invalid", "has no address"),
        ("240.0.0.1", "TCP failed"),
    ],
)
def test_no_server_there(world: DialWorld, host: str, words: str) -> None:
    dialled = world.dial(*FULL, "--once", host=host)
    assert dialled.exit_code() == 1
    assert words in dialled.output()


def test_limits_on_tries(world: DialWorld) -> None:
    dialled = world.dial(*FULL, "--set", "max_tries=3", "--set", "retry_max=1", host="198.51.100.254")
    assert dialled.exit_code() == 1
    assert "3 tries in a row failed" in dialled.output()


def test_without_rights(world: DialWorld) -> None:
    world.folder.chmod(0o777)
    wrap = ("setpriv", "--inh-caps=-all", "--bounding-set=-net_admin,-net_raw")
    dialled = world.dial(*FULL, wrap=wrap)
    assert dialled.exit_code() == 2
    assert "CAP_NET_ADMIN" in dialled.output()


def test_an_address_that_this_host_has_already(world: DialWorld) -> None:
    world.dialer.ip("address", "add", "10.77.0.2/16", "dev", "up1")
    try:
        dialled = world.dial(*FULL, "--once")
        assert dialled.exit_code() == 1
        assert "this host already reaches 10.77.0.0/16" in dialled.output()
    finally:
        world.dialer.ip("address", "del", "10.77.0.2/16", "dev", "up1")


def test_status_when_nothing_runs(world: DialWorld) -> None:
    command = [*HOLDFAST, "dial", "status", "--state", str(world.folder / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no tunnel runs" in done.stderr


DHCP_SERVER = """
import socket, struct, sys
opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
opened.bind(("", 67))
open(sys.argv[2], "w").close()
while True:
    asked, (address, port) = opened.recvfrom(2048)
    head = bytes([2]) + asked[1:236] + bytes((99, 130, 83, 99))
    opened.sendto(head + bytes((53, 1, 5)) + bytes.fromhex(sys.argv[1]) + bytes((255,)), (address, port))
"""


def test_the_servers_routes_are_taken_but_not_its_default_route(world: DialWorld, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    routes = bytes((16, 10, 99, 10, 77, 0, 1)) + bytes((24, 172, 30, 5, 10, 77, 0, 1)) + bytes((0, 10, 77, 0, 1))
    option = (bytes((121, len(routes))) + routes).hex()
    server = world.gateway.start(sys.executable, "-c", DHCP_SERVER, option, str(ready))
    try:
        wait(ready.exists, 5, str)
        dialled = world.dial()
        dialled.wait_up()
        wait(lambda: "10.99.0.0/16" in world.dialer.ip("route"), 5, dialled.output)
        assert "172.30.5.0/24 dev pptp0" in world.dialer.ip("route")
        assert "pptp0" not in world.dialer.ip("route", "get", "8.8.8.8")
        assert "route 0.0.0.0/0 is not taken" in dialled.output()
        assert dialled.stop() == 0
        assert "10.99" not in world.dialer.ip("route")
    finally:
        server.kill()
        server.wait()


SCRAPE = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9724/metrics').read().decode())"


def test_many_tunnels_of_one_file(world: DialWorld, tmp_path: Path) -> None:
    """Two tunnels to one server: what both need (the way to it) stays until the last is gone."""
    before = world.picture()
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    tables = [
        f'[tunnel.{name}]\nhost = "{GATEWAY}"\nuser = "alice"\npassword_file = "{password}"\nask_server = false\n'
        f'dns = "none"\nnetworks = ["{network}"]\n'
        for name, network in (("one", "10.1.0.0/16"), ("two", "10.2.0.0/16"))
    ]
    (tmp_path / "dial.toml").write_text("".join(tables) + '[metrics]\nlisten = "127.0.0.1:9724"\n')
    command = (*HOLDFAST, "dial", "--config", tmp_path / "dial.toml", "--state", tmp_path / "dialer")
    with (tmp_path / "log").open("wb") as log:
        process = world.dialer.start(*command, stdout=log, stderr=log)
    story = (tmp_path / "log").read_text
    try:
        wait(lambda: story().count("traffic after") == 2, 10, story)
        table = world.dialer.run(*HOLDFAST, "dial", "status", "--state", tmp_path / "dialer")
        assert "one" in table
        assert "two" in table
        assert "pptp0" in world.dialer.ip("route", "get", "10.1.2.3")
        assert "pptp1" in world.dialer.ip("route", "get", "10.2.2.3")
        scraped = world.dialer.run(sys.executable, "-c", SCRAPE)
        for name in ("one", "two"):
            assert f'holdfast_tunnel_state{{state="up",tunnel="{name}"}} 1.0' in scraped
            assert f'holdfast_setups_total{{tunnel="{name}"}} 1.0' in scraped
            assert f'holdfast_gre_packets_total{{direction="in",tunnel="{name}"}} 0.0' not in scraped
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, story()
    assert world.picture() == before
