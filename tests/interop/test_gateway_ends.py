"""How sessions with real clients end: by either side, politely or not."""

import pytest

from support.lab_gateway import GOODBYE_SECONDS, SLACK, GatewayMaker
from support.lab_peers import PPPD_ENDED_BY_SIGNAL, Client
from support.lab_world import GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab

INSIDE = "10.77.0.1"
ECHO_INTERVAL, ECHO_FAILURES = 1, 3


def test_the_client_says_goodbye(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        assert client.hang_up().code == PPPD_ENDED_BY_SIGNAL
        assert "rcvd [LCP TermAck" in client.log
    ended = running.wait_event("TEARDOWN")
    assert ended["reason"] == "user_request"
    assert ended["evidence"]
    running.wait_event("CONTROL_CLOSED")


def test_the_operator_ends_a_session(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        running.command("disconnect", "--user", "alice")
        client.wait_end()
        assert "rcvd [LCP TermReq" in client.log
    assert running.wait_event("TEARDOWN")["reason"] == "admin"
    assert running.ask("sessions") == []


def test_the_gateway_stops(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    before = running.namespace.interfaces() - {"holdfast0"}
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        assert running.stop() < GOODBYE_SECONDS + SLACK
        client.wait_end()
        assert "LCP terminated by peer" in client.log
    assert running.events("TEARDOWN")[-1]["reason"] == "gateway_shutdown"
    assert running.namespace.interfaces() == before
    assert running.namespace.run("nft", "list", "tables") == ""
    assert running.namespace.run("sysctl", "-n", "net.ipv4.ip_forward").strip() == "0"


def test_the_gateway_is_killed_and_starts_again(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        first, _ = client.wait_up()
        running.kill()
        running.start()
        assert client.wait_end().code != 0
        assert running.ask("sessions") == []
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        again, _ = client.wait_up()
        assert again == first
        client.ping(INSIDE)
        client.hang_up()
    running.stop()
    assert running.namespace.run("nft", "list", "tables") == ""
    assert running.namespace.run("sysctl", "-n", "net.ipv4.ip_forward").strip() == "0"


def test_a_client_whose_machine_dies(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway(ppp={"lcp_echo_interval": ECHO_INTERVAL, "lcp_echo_failures": ECHO_FAILURES})
    with lab_world.second_guest() as guest, Client(guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        client.ping(INSIDE)
        guest.kill()
        ended = running.wait_event("TEARDOWN", 30)
    assert ended["reason"] == "echo_timeout"
    assert running.ask("sessions") == []


def test_only_the_client_program_dies(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        client.job.kill()
        lab_world.guest.run("killall -9 pptp", check=False)
    ended = running.wait_event("TEARDOWN", 15)
    assert ended["reason"] == "control_lost"
