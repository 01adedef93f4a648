"""What the kernel must throw away is counted, and only that; what keeps a session open is use, not a heartbeat."""

import signal
import subprocess
import time

import pytest

from holdfast._native import gre_build
from support.engine_lab import wait_until
from support.gateway_lab import FIRST, INSIDE, METRICS, GatewayLab
from support.lab_gateway import Gateway
from support.raw_client import RawClient

pytestmark = pytest.mark.root
MANY = 60_000
"""Packets of 1,400 octets: more than twice of what 16 MiB hold, however the kernel reckons."""


def full(gateway: Gateway) -> int:
    return int(gateway.ask("status")["engine"]["drops"]["socket_full"])


def test_packets_that_find_the_sockets_full_are_counted(lab: GatewayLab) -> None:
    """Four workers: what the filter of a worker's socket leaves to the others is no drop."""
    gateway = lab.serve(gateway={"workers": 4}, metrics={"listen": METRICS})
    with RawClient(lab.client, FIRST) as client:
        flood = [gre_build(60_000 + number, 0, None, bytes(1400)) for number in range(4)] * (MANY // 4)
        client.flood(flood[:400])
        time.sleep(0.2)
        assert full(gateway) == 0
        gateway.process.send_signal(signal.SIGSTOP)
        try:
            sent = client.flood(flood)
        finally:
            gateway.process.send_signal(signal.SIGCONT)
        wait_until(lambda: full(gateway) > 0, 10)
        assert full(gateway) < sent
    wait_until(lambda: f'holdfast_drops_total{{cause="socket_full"}} {float(full(gateway))}\n' in lab.metrics(), 10)


def test_a_heartbeat_keeps_no_idle_session_open_and_a_ping_of_another_host_does(lab: GatewayLab) -> None:
    gateway = lab.serve(timeouts={"idle_timeout": 6.0, "heartbeats": [INSIDE]})
    dialer = lab.dial(FIRST, "--network", f"{INSIDE}/32")
    dialer.wait_up()

    def pinging(address: str) -> "subprocess.Popen[bytes]":
        return lab.client.start("ping", "-q", "-i0.5", "-c90", address, stdout=subprocess.DEVNULL)

    with pinging("203.0.113.2") as used:
        time.sleep(9)
        assert gateway.events("TEARDOWN") == []
        used.terminate()
    with pinging(INSIDE) as beat:
        assert gateway.wait_event("TEARDOWN", 30)["reason"] == "idle_timeout"
        beat.terminate()
