"""Fragmentation of the tunnel, either way, as the gateway tells it."""

import socket
import struct
from collections.abc import Iterator

import pytest

from support.engine_lab import inside
from support.gateway_lab import CLIENT, FIRST, INSIDE, METRICS, GatewayLab
from support.lab_gateway import Gateway

pytestmark = pytest.mark.root
NARROW, PINGS = 1000, 20


@pytest.fixture
def gateway(lab: GatewayLab) -> Iterator[tuple[GatewayLab, Gateway]]:
    """A gateway with one session over a wide network."""
    running = lab.serve(metrics={"listen": METRICS})
    lab.dial().wait_up()
    yield lab, running
    for place in (lab.client, lab.gateway):
        place.ip("link", "set", "near", "mtu", "1500")


def pings(lab: GatewayLab, size: int) -> None:
    lab.client.run("ping", "-c", str(PINGS), "-i", "0.05", "-W", "30", "-q", "-s", str(size), INSIDE)


def test_what_is_cut_either_way(gateway: tuple[GatewayLab, Gateway]) -> None:
    lab, running = gateway
    pings(lab, 1300)
    assert running.events("FRAGMENTED") == []
    # A veth takes in no more than its own MTU: both ends are narrow.
    for place in (lab.client, lab.gateway):
        place.ip("link", "set", "near", "mtu", str(NARROW))
    pings(lab, 1300)
    # What came first is told at once, the rest after a while; the metrics have all of it.
    counts = [f'holdfast_gre_fragmented_total{{direction="{way}"}} {PINGS}.0' for way in ("in", "out")]
    running.wait_until(lambda: all(count in lab.metrics() for count in counts), 40, what="the pieces in the metrics")
    running.wait_event("FRAGMENTED", 40, count=2)
    session = running.session()
    told = {event["direction"]: event for event in running.events("FRAGMENTED")}
    assert {event["session"] for event in told.values()} == {session["id"]}
    assert 5 <= told["received"]["packets"] <= PINGS
    assert 900 < told["received"]["mtu"] <= NARROW
    assert 5 <= told["sent"]["packets"] <= PINGS


def test_a_router_that_says_too_big(gateway: tuple[GatewayLab, Gateway]) -> None:
    lab, running = gateway
    session = running.session()
    gre = struct.pack("!BBHHH", 0x30, 0x81, 0x880B, 1300, session["peer_call_id"])
    about = struct.pack("!BBHHHBBH", 0x45, 0, 1340, 7, 0x4000, 64, 47, 0)
    about += socket.inet_aton(FIRST) + socket.inet_aton(CLIENT) + gre
    message = struct.pack("!BBHHH", 3, 4, 0, 0, 1234) + about
    with inside(lab.client, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)) as raw:
        raw.sendto(message[:2] + struct.pack("!H", checksum(message)) + message[4:], (FIRST, 0))
    told = running.wait_event("FRAGMENTED")
    assert (told["direction"], told["mtu"], told["router"]) == ("sent", 1234, CLIENT)


def checksum(octets: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
