"""Somebody else takes the TUN interface away: a tunnel that carries nothing may not look alive."""

import json

import pytest

from support.gateway_lab import GatewayLab

pytestmark = pytest.mark.root
PATIENCE = 20


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
    assert dialled.process.wait(PATIENCE) == 1, dialled.output()
    assert "removed its TUN interface" in json.dumps(dialled.records("INTERNAL_FAULT"))
