"""`holdfast serve` and its host: addresses, routes, firewall, capabilities, and what a killed one leaves behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.engine_lab import inside, wait_until
from support.gateway_lab import BEYOND, CLIENT, FIRST, INSIDE, SECOND, GatewayLab
from support.lab_gateway import COMMAND, GOODBYE_SECONDS, SLACK, Gateway, GatewayError, Section, to_toml
from support.lab_peers import USERS

pytestmark = pytest.mark.root
ROOT = Path(__file__).parents[2]
OUTSIDE = "192.168.55.5"
NET_ADMIN_AND_RAW, DAC_READ_SEARCH = 1 << 12 | 1 << 13, 1 << 2
GENERATED = 200
AS_NOBODY = """
mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200
chown -R 65534:65534 "$0"/gateway0/state
caps=+net_admin,+net_raw
# A checkout may lie where only root can read: reading it is no part of what is tested.
setpriv --reuid=65534 --clear-groups test -x "$1" || caps=$caps,+dac_read_search
exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all,$caps --inh-caps=$caps \\
    --ambient-caps=$caps "$@"
"""
"""What systemd does for the unit: a user of its own, a device that all may open, exactly two capabilities."""


@pytest.fixture
def gre(lab: GatewayLab) -> Iterator[socket.socket]:
    """What of GRE reaches the client's host."""
    with inside(lab.client, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)) as opened:
        opened.settimeout(2)
        yield opened


def sources(opened: socket.socket) -> set[str]:
    """Return where the packets that wait came from."""
    found = set()
    opened.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while octets := opened.recv(65535):
            found.add(socket.inet_ntoa(octets[12:16]))
    return found


@pytest.mark.parametrize("listen", [[f"{FIRST}:1723", f"{SECOND}:1723"], ["0.0.0.0:1723"]], ids=["named", "every"])
@pytest.mark.parametrize("dialled", [FIRST, SECOND])
def test_the_address_that_was_dialled_answers(
    lab: GatewayLab, gre: socket.socket, dialled: str, listen: list[str]
) -> None:
    gateway = lab.serve(gateway={"listen": listen})
    lab.dial(dialled).wait_up()
    assert lab.pings(INSIDE)
    assert sources(gre) == {dialled}
    session = gateway.session()
    assert (session["server_ip"], session["client_ip"]) == (dialled, CLIENT)


def test_another_port(lab: GatewayLab) -> None:
    gateway = lab.serve(gateway={"listen": [f"{FIRST}:1723", f"{FIRST}:1799"]})
    lab.dial(FIRST, "--set", "port=1799").wait_up()
    assert lab.pings(INSIDE)
    assert gateway.ask("status")["listen"] == [f"{FIRST}:1723", f"{FIRST}:1799"]
    counters = gateway.session()["counters"]
    assert (counters["gre_duplicates"], counters["drops"]) == (0, {})


def test_killed_and_started_again_everything_is_as_before(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve()
    during = lab.picture()
    assert during != before
    lab.dial().wait_up()
    session = gateway.session()
    gateway.kill()
    gateway.start()
    ended = gateway.wait_event("TEARDOWN")
    assert ended["session"] == session["id"]
    assert (ended["user"], ended["address"]) == ("alice", session["address"])
    assert "killed" in ended["evidence"]
    assert gateway.ask("status")["addresses"]["used"] in {0, 1}, "only who came back may have an address"
    assert lab.picture() == during
    gateway.stop()
    assert lab.picture() == before


def test_two_gateways_never_share_a_state_directory(lab: GatewayLab) -> None:
    gateway = lab.serve(gateway={"listen": [f"{FIRST}:1723"]})
    config = lab.folder / "second.toml"
    config.write_text(to_toml({"gateway": {"listen": [f"{SECOND}:1723"], "tun_name": "other0"}}))
    command = lab.gateway.wrap(COMMAND, "serve", "--state", gateway.state, "--config", config)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "a gateway runs with this state directory already" in done.stderr
    assert "other0" not in lab.gateway.interfaces()
    lab.dial().wait_up()


def test_two_capabilities_are_enough(lab: GatewayLab) -> None:
    before = lab.picture()
    with tempfile.TemporaryDirectory() as folder:
        lab.folder = Path(folder)
        lab.folder.chmod(0o711)
        gateway = lab.serve(wrap=("unshare", "--mount", "sh", "-c", AS_NOBODY, folder))
        status = Path(f"/proc/{gateway.process.pid}/status").read_text()
        facts = dict(line.split(":", 1) for line in status.splitlines())
        capabilities = {int(facts[name], 16) & ~DAC_READ_SEARCH for name in ("CapEff", "CapPrm", "CapBnd")}
        assert capabilities == {NET_ADMIN_AND_RAW}
        assert set(facts["Uid"].split()) == {"65534"}
        lab.dial().wait_up()
        assert lab.pings(INSIDE)
        assert lab.pings(BEYOND)
        gateway.stop()
        lab.running.close()
    assert lab.picture() == before


@pytest.mark.parametrize(
    ("wrap", "settings", "words"),
    [
        ((), {"listen": [f"{FIRST}:1723", "198.51.100.77:1723"]}, "Cannot assign requested address"),
        ((), {"listen": [f"{FIRST}:22222"]}, "cannot listen: Address already in use"),
        ((), {"tun_name": "near"}, "cannot open the TUN interface"),
        (("setpriv", "--bounding-set=-all", "--inh-caps=-all"), {}, "CAP_NET_RAW"),
        (("setpriv", "--bounding-set=-all,+net_raw", "--inh-caps=-all"), {}, "CAP_NET_ADMIN"),
        (("setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all"), {}, "CAP_NET_RAW"),
    ],
    ids=["address", "port", "interface", "no-rights", "no-net-admin", "no-net-raw"],
)
def test_a_failing_start_says_why_and_leaves_nothing(
    lab: GatewayLab, wrap: tuple[str, ...], settings: Section, words: str
) -> None:
    with inside(lab.gateway, lambda: socket.create_server((FIRST, 22222))):
        before = lab.picture()
        with pytest.raises(GatewayError, match="the gateway ended \\(2\\)") as caught:
            lab.serve(wrap=wrap, gateway=settings)
        assert words in str(caught.value)
        assert "Traceback" not in str(caught.value)
        assert lab.picture() == before


# --- addresses -----------------------------------------------------------------------------------------------


def routes(lab: GatewayLab) -> str:
    return lab.gateway.run("ip", "-4", "route", "show", "dev", "holdfast0")


def dedicate(gateway: Gateway, address: str) -> None:
    gateway.command("user", "change", "alice", "--address", address)


def test_a_dedicated_address_outside_the_pool_is_routed_while_it_is_used(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve()
    dedicate(gateway, OUTSIDE)
    assert OUTSIDE not in routes(lab)
    dialer = lab.dial()
    dialer.wait_up()
    assert gateway.session()["address"] == OUTSIDE
    assert lab.pings(INSIDE)
    assert lab.pings(OUTSIDE, lab.gateway)
    assert lab.pings(BEYOND), "what lies beyond knows no way back: only NAT makes this work"
    dialer.stop()
    wait_until(lambda: OUTSIDE not in routes(lab))
    assert not gateway.events("INTERNAL_FAULT")
    gateway.stop()
    assert lab.picture() == before


def test_a_route_to_such_a_client_does_not_outlive_a_killed_gateway(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve()
    dedicate(gateway, OUTSIDE)
    dialer = lab.dial()
    dialer.wait_up()
    wait_until(lambda: OUTSIDE in routes(lab))
    lab.kill(dialer)
    gateway.kill()
    gateway.start()
    assert OUTSIDE not in routes(lab)
    gateway.stop()
    assert lab.picture() == before


def test_chap_secrets_gives_addresses_outside_the_pool_too(lab: GatewayLab) -> None:
    secrets = lab.folder / "chap-secrets"
    secrets.touch(0o600)
    secrets.write_text(f'alice pptpd "{USERS["alice"]}" {OUTSIDE}\n')
    gateway = lab.serve(users={"chap_secrets": str(secrets)})
    gateway.command("user", "remove", "alice")
    lab.dial().wait_up()
    assert gateway.session()["address"] == OUTSIDE
    assert lab.pings(BEYOND)


@pytest.mark.parametrize(("allowed", "given"), [(True, "10.77.0.99"), (False, "10.77.0.10")])
def test_a_client_s_wish(lab: GatewayLab, allowed: bool, given: str) -> None:
    gateway = lab.serve(addresses={"client_wish": allowed})
    lab.dial(FIRST, "--set", "address=10.77.0.99").wait_up()
    assert gateway.session()["address"] == given


def test_a_user_is_disabled_while_the_gateway_runs(lab: GatewayLab) -> None:
    gateway = lab.serve()
    dialer = lab.dial()
    dialer.wait_up()
    gateway.command("user", "disable", "alice")
    assert lab.pings(INSIDE), "a session that is up stays"
    dialer.stop()
    assert lab.dial().exit_code() == 2
    assert gateway.wait_event("AUTH_FAIL")["result_code"] == 647
    gateway.command("user", "enable", "alice")
    lab.dial().wait_up()


# --- the goodbye ---------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(lab: GatewayLab) -> Iterator[tuple[Gateway, "subprocess.Popen[str]"]]:
    """A gateway with many sessions, and the process that has them."""
    gateway = lab.serve(addresses={"gateway": "10.64.0.1", "pool": ["10.64.0.10-10.64.3.250"], "nat": False})
    password = "of the load generator"
    add = [COMMAND, "user", "add", "load", "--password-stdin", "--state", gateway.state]
    subprocess.run(add, input=f"{password}\n", text=True, check=True, capture_output=True)
    command = lab.client.wrap(sys.executable, "-m", "bench.load", "--client", str(GENERATED), "--hold", "200")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{password}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "held\n"
        yield gateway, process
        process.kill()


def test_everyone_is_told_goodbye_in_five_seconds(crowd: tuple[Gateway, "subprocess.Popen[str]"]) -> None:
    gateway, _ = crowd
    wait_until(lambda: gateway.ask("status")["sessions"] == {"up": GENERATED}, 10)
    assert gateway.stop() < GOODBYE_SECONDS + SLACK
    ends = gateway.events("TEARDOWN")
    assert len(ends) == GENERATED
    assert {record["reason"] for record in ends} == {"gateway_shutdown"}


def test_clients_that_do_not_answer_are_not_waited_for(crowd: tuple[Gateway, "subprocess.Popen[str]"]) -> None:
    gateway, process = crowd
    os.kill(process.pid, signal.SIGSTOP)
    began = time.monotonic()
    gateway.stop()
    assert 1 < time.monotonic() - began < GOODBYE_SECONDS + SLACK
    assert len(gateway.events("TEARDOWN")) == GENERATED
    assert not gateway.events("INTERNAL_FAULT")
