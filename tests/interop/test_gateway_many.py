"""Several real clients at a time: behind one NAT, and over one control connection."""

from collections.abc import Iterator

import pytest

from lab.guest import Guest
from support.lab_gateway import GatewayMaker
from support.lab_peers import Client
from support.lab_world import ACCESS_WAN_ADDRESS, GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab

INSIDE = "10.77.0.1"


@pytest.fixture
def homes(guest: Guest) -> Iterator[list[str]]:
    """The names of two namespaces of the guest, each with a private address that the router hides."""
    names = ["home1", "home2"]
    for number, name in enumerate(names, 1):
        guest.run(
            f"ip netns add {name} && ip link add h{number} type veth peer name eth0 netns {name} && "
            f"ip address add 172.16.{number}.1/24 dev h{number} && ip link set h{number} up && "
            f"ip -n {name} address add 172.16.{number}.2/24 dev eth0 && ip -n {name} link set eth0 up && "
            f"ip -n {name} link set lo up && ip -n {name} route add default via 172.16.{number}.1 && "
            "echo 1 > /proc/sys/net/ipv4/ip_forward"
        )
    yield names
    # The kernel removes the links of a namespace some time after it: the next test's have the same names.
    guest.run("".join(f"ip link delete h{number}\nip netns delete {name}\n" for number, name in enumerate(names, 1)))


def test_two_clients_behind_one_nat(lab_world: World, gateway: GatewayMaker, homes: list[str]) -> None:
    running = gateway()
    guest = lab_world.guest
    with (
        Client(guest, GATEWAY_ADDRESS, "alice", namespace=homes[0]) as alice,
        Client(guest, GATEWAY_ADDRESS, "bob", namespace=homes[1]) as bob,
    ):
        addresses = {alice.wait_up()[0], bob.wait_up()[0]}
        assert len(addresses) == 2
        for client in (alice, bob):
            client.ping(INSIDE)
        sessions = running.ask("sessions")
        assert {session["user"] for session in sessions} == {"alice", "bob"}
        assert {session["client_ip"] for session in sessions} == {ACCESS_WAN_ADDRESS}
        assert len({session["local_call_id"] for session in sessions}) == 2

        alice.hang_up()
        running.wait_event("TEARDOWN")
        bob.ping(INSIDE)
        bob.hang_up()
    running.wait_event("TEARDOWN", count=2)
    assert [event["reason"] for event in running.events("TEARDOWN")] == ["user_request", "user_request"]
    assert not running.events("CALL_ID_COLLISION")


def test_two_calls_over_one_control_connection(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    guest = lab_world.guest
    with Client(guest, GATEWAY_ADDRESS, "alice") as alice:
        alice.wait_up()
        with Client(guest, GATEWAY_ADDRESS, "bob") as bob:
            bob.wait_up()
            for client in (alice, bob):
                client.ping(INSIDE)
            assert len(running.events("CONNECT")) == 1
            assert len({session["connection"] for session in running.ask("sessions")}) == 1
            bob.hang_up()
        running.wait_event("TEARDOWN")
        alice.ping(INSIDE)
        assert [session["user"] for session in running.ask("sessions")] == ["alice"]
        alice.hang_up()
    running.wait_event("TEARDOWN", count=2)
    assert [event["user"] for event in running.events("TEARDOWN")] == ["bob", "alice"]


def test_one_user_twice_gets_two_addresses(lab_world: World, gateway: GatewayMaker, homes: list[str]) -> None:
    gateway()
    guest = lab_world.guest
    with (
        Client(guest, GATEWAY_ADDRESS, "alice", namespace=homes[0]) as first,
        Client(guest, GATEWAY_ADDRESS, "alice", namespace=homes[1]) as second,
    ):
        assert first.wait_up()[0] != second.wait_up()[0]
        first.hang_up()
        second.hang_up()
