"""Somebody else takes the TUN interface away: a tunnel that carries nothing may not look alive."""

import json

import pytest

from support.gateway_lab import BEYOND, INSIDE, GatewayLab

pytestmark = pytest.mark.root
PATIENCE = 120


def test_a_gateway_whose_interface_is_removed_ends_so_that_it_is_started_again(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve()
    lab.dial().wait_up()
    lab.gateway.ip("link", "delete", "holdfast0")
    assert gateway.process.wait(PATIENCE) == 2, gateway.story
    (fault,) = gateway.events("INTERNAL_FAULT")
    assert (fault["where"], fault["severity"]) == ("engine", "error")
    assert "removed its TUN interface" in fault["detail"]
    assert gateway.events("TEARDOWN")[0]["reason"] == "internal_error"
    assert gateway.events("GATEWAY_DOWN")
    assert "the packet engine broke: somebody removed its TUN interface" in gateway.output
    assert lab.picture() == before
    gateway.start()


def test_a_dialer_whose_interface_is_removed_ends_so_that_it_is_started_again(lab: GatewayLab) -> None:
    lab.serve()
    dialled = lab.dial()
    dialled.wait_up()
    lab.client.ip("link", "delete", "pptp0")
    assert dialled.exit_code() == 1, dialled.output()
    assert "removed its TUN interface" in json.dumps(dialled.records("INTERNAL_FAULT"))


@pytest.mark.parametrize("place", ["gateway", "client"])
def test_an_interface_that_goes_down_and_up_carries_again(lab: GatewayLab, place: str) -> None:
    gateway = lab.serve()
    dialled = lab.dial()
    dialled.wait_up()
    assert lab.pings(INSIDE)
    assert lab.pings(BEYOND)
    host, name = (lab.gateway, "holdfast0") if place == "gateway" else (lab.client, "pptp0")
    host.ip("link", "set", name, "down")
    host.ip("link", "set", name, "up")
    assert lab.pings(INSIDE), host.run("ip", "route")
    assert lab.pings(BEYOND), host.run("ip", "route")
    if place == "gateway":
        assert "holdfast0" in gateway.wait_event("HOST_CHANGE")["detail"]
    assert not dialled.ends()
