"""The lab proves itself first: Debian's client with Debian's server, no Holdfast between them."""

from collections.abc import Iterator

import pytest

from lab.guest import Guest, GuestError
from support.lab_peers import PPPD_AUTHENTICATION_FAILED, PPPD_ENDED_BY_PEER, Client, PptpServer
from support.lab_world import GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab


@pytest.fixture
def street(guest: Guest) -> Iterator[str]:
    """The name of a network namespace of the guest, for a client. The server's address there is 10.9.0.1."""
    guest.run(
        "ip netns add street && ip link add s0 type veth peer name s1 netns street && "
        "ip address add 10.9.0.1/24 dev s0 && ip link set s0 up && ip -n street link set lo up && "
        "ip -n street address add 10.9.0.2/24 dev s1 && ip -n street link set s1 up"
    )
    yield "street"
    # The kernel removes the links of a namespace some time after it: the next test's have the same names.
    guest.run("ip link delete s0 && ip netns delete street")


def test_real_client_and_real_server(guest: Guest, street: str) -> None:
    with PptpServer(guest) as server, Client(guest, "10.9.0.1", namespace=street) as client:
        mine, peer = client.wait_up()
        assert (mine, peer) == ("10.66.0.10", "10.66.0.1")
        client.ping(peer)
        assert "MPPE 128-bit stateless compression enabled" in client.log
        assert "MPPE 128-bit stateless compression enabled" in server.log
        client.hang_up()


def test_wrong_password_is_refused_by_the_real_server(guest: Guest, street: str) -> None:
    with PptpServer(guest), Client(guest, "10.9.0.1", password="wrong", namespace=street) as client:
        # Which one: does the server's end of the call overtake the client's own? The log tells in any case.
        assert client.wait_end().code in {PPPD_AUTHENTICATION_FAILED, PPPD_ENDED_BY_PEER}
        assert "MS-CHAP authentication failed: " in client.log


def test_the_way_to_the_gateway(lab_world: World) -> None:
    lab_world.guest.run(f"ping -c 1 -w 5 {GATEWAY_ADDRESS}")


def test_a_failing_script_is_an_error(guest: Guest) -> None:
    with pytest.raises(GuestError, match="no such place"):
        guest.run("echo no such place; exit 3")
