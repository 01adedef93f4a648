"""Timers, warnings and single sessions with real clients."""

import time

import pytest

from support.lab_gateway import GatewayMaker
from support.lab_peers import Client
from support.lab_world import GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab


def test_session_time_is_warned_of_and_ends(lab_world: World, gateway: GatewayMaker) -> None:
    # Warned after two seconds; a busy guest has twelve for its ping.
    running = gateway(timeouts={"session_timeout": 14.0, "time_warning": 12.0})
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        assert running.wait_event("TIME_REMAINING", 10)["seconds"] in range(9, 13)
        client.ping("10.77.0.1")
        client.wait_end()
        assert "LCP terminated by peer (Connect time expired)" in client.log
    ended = running.wait_event("TEARDOWN")
    assert (ended["reason"], ended["evidence"]) == ("session_timeout", "the session's 14 s are over")
    assert running.ask("sessions") == []


def test_echoes_do_not_keep_an_idle_session_open(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway(timeouts={"idle_timeout": 8.0}, ppp={"lcp_echo_interval": 1.0})
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        began = time.monotonic()
        client.ping("10.77.0.1")
        client.wait_end()
        assert time.monotonic() - began > 8
        assert "LCP terminated by peer (Link inactive)" in client.log
    ended = running.wait_event("TEARDOWN")
    assert ended["reason"] == "idle_timeout"


def test_a_client_whose_machine_died_is_replaced_by_its_next_session(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway(limits={"single_session": "replace"}, ppp={"lcp_echo_interval": 60.0})
    with lab_world.second_guest() as guest, Client(guest, GATEWAY_ADDRESS) as old:
        old.wait_up()
        with Client(lab_world.guest, GATEWAY_ADDRESS) as refused:
            refused.wait_end()
            assert "E=649" in refused.log
        guest.kill()
        with Client(lab_world.guest, GATEWAY_ADDRESS) as new:
            new.wait_up()
            new.ping("10.77.0.1")
            running.wait_event("TEARDOWN", count=2)
            reasons = [record["reason"] for record in running.events("TEARDOWN")]
            assert reasons == ["limit_reached", "replaced"]
            new.hang_up()
