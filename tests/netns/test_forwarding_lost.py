"""Somebody switches IP forwarding off under a running gateway, as `sysctl --system` may."""

import pytest

from support.engine_lab import wait_until
from support.gateway_lab import BEYOND, GatewayLab

pytestmark = pytest.mark.root
KEY = "net.ipv4.ip_forward"
PATIENCE = 120


def test_forwarding_that_was_switched_off_is_on_again_and_told(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve()
    dialled = lab.dial()
    dialled.wait_up()
    assert lab.pings(BEYOND)
    lab.gateway.sysctl(KEY, "0")
    fact = gateway.wait_event("FORWARDING_LOST")
    assert (fact["restored"], fact["severity"]) == (True, "warning")
    assert "net/ipv4/ip_forward = 1 again" in fact["detail"]
    wait_until(lambda: lab.gateway.run("sysctl", "-n", KEY).strip() == "1", PATIENCE)
    assert lab.pings(BEYOND)
    gateway.stop()
    wait_until(dialled.ends, PATIENCE)
    dialled.stop()
    assert lab.picture() == before, "what was before the start is put back at the end"
