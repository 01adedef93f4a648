"""Debian's pptp-linux and pppd, unchanged, against the gateway: what a user does, in every way of signing in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pytest

from support.lab_gateway import GatewayMaker
from support.lab_peers import Client
from support.lab_world import (
    DOCUMENT,
    GATEWAY_ADDRESS,
    GATEWAY_UP_ADDRESS,
    GUEST_ADDRESS,
    SERVER_ADDRESS,
    SERVER_NAME,
    SMALL_DOCUMENT,
    World,
)

pytestmark = pytest.mark.lab

INSIDE = "10.77.0.1"
UPLOAD_SIZE = 450_000
POOL = (IPv4Address("10.77.0.10"), IPv4Address("10.77.0.250"))


@dataclass(frozen=True)
class Way:
    """One way of signing in: the gateway's `[ppp]`, the client's options, and what both must say afterwards."""

    name: str
    ppp: dict[str, object]
    options: tuple[str, ...]
    method: str
    client_says: tuple[str, ...]
    mppe: tuple[int, str] | None = None
    client_never_says: tuple[str, ...] = field(default=())


WAYS = [
    Way(
        "ms-chap-v2, 128 bit, stateless",
        {},
        ("require-mppe-128",),
        "ms-chap-v2",
        ("<auth chap MS-v2>", "CHAP authentication succeeded", "MPPE 128-bit stateless compression enabled"),
        (128, "stateless"),
    ),
    Way(
        "ms-chap-v2, 128 bit, stateful",
        {"mppe_mode": "stateful"},
        ("require-mppe-128", "mppe-stateful"),
        "ms-chap-v2",
        ("CHAP authentication succeeded", "MPPE 128-bit stateful compression enabled"),
        (128, "stateful"),
    ),
    Way(
        "ms-chap-v2, 40 bit",
        {"mppe_bits": [40]},
        ("require-mppe-40",),
        "ms-chap-v2",
        ("CHAP authentication succeeded", "MPPE 40-bit stateless compression enabled"),
        (40, "stateless"),
    ),
    Way(
        "the client's 40 bit where 128 is better liked",
        {"mppe_bits": [128, 40]},
        ("require-mppe-40", "nomppe-128"),
        "ms-chap-v2",
        ("MPPE 40-bit stateless compression enabled",),
        (40, "stateless"),
    ),
    Way(
        "ms-chap, 128 bit",
        {"authentication": ["ms-chap"]},
        ("require-mppe-128",),
        "ms-chap",
        ("<auth chap MS>", "CHAP authentication succeeded", "MPPE 128-bit stateless compression enabled"),
        (128, "stateless"),
    ),
    Way(
        "chap-md5 without encryption",
        {"authentication": ["chap-md5"], "mppe": "off"},
        ("nomppe",),
        "chap-md5",
        ("<auth chap MD5>", "CHAP authentication succeeded"),
        client_never_says=("MPPE",),
    ),
    Way(
        "pap without encryption",
        {"authentication": ["pap"], "mppe": "off"},
        ("nomppe",),
        "pap",
        ("<auth pap>", "PAP authentication succeeded"),
        client_never_says=("MPPE",),
    ),
    Way(
        "pap for a client that refuses what the gateway likes better",
        {"authentication": ["ms-chap-v2", "pap"], "mppe": "off"},
        ("nomppe", "refuse-chap", "refuse-mschap", "refuse-mschap-v2"),
        "pap",
        ("LCP ConfNak", "PAP authentication succeeded"),
    ),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_way_of_signing_in(lab_world: World, gateway: GatewayMaker, way: Way) -> None:
    running = gateway(ppp=way.ppp)
    with Client(lab_world.guest, GATEWAY_ADDRESS, options=way.options) as client:
        mine, peer = client.wait_up()
        assert peer == INSIDE
        assert POOL[0] <= IPv4Address(mine) <= POOL[1]
        client.ping(INSIDE)
        client.ping(INSIDE, size=1372)  # the largest packet that fits an MTU of 1400
        _fetch(lab_world, client, DOCUMENT)
        client.hang_up()

        for words in way.client_says:
            assert words in client.log
        for words in way.client_never_says:
            assert words not in client.log
    signed_in = running.wait_event("AUTH_SUCCESS")
    assert (signed_in["method"], signed_in["user"]) == (way.method, "alice")
    encryption = [(event["bits"], event["mode"]) for event in running.events("MPPE_UP")]
    assert encryption == ([way.mppe] if way.mppe else [])
    assert running.wait_event("IP_UP")["peer_address"] == mine
    ended = running.wait_event("TEARDOWN")
    assert (ended["reason"], ended["user"]) == ("user_request", "alice")
    assert ended["bytes_out"] > ended["bytes_in"] > 0


def test_a_user_connects_and_browses(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        mine, _ = client.wait_up()
        client.route(f"{SERVER_ADDRESS}/32")
        client.ping(SERVER_ADDRESS)
        assert f"nameserver {SERVER_ADDRESS}" in client.run("cat /etc/ppp/resolv.conf")
        client.run("cp /etc/ppp/resolv.conf /etc/resolv.conf")
        page = client.run(f"wget -q -O - http://{SERVER_NAME}/")
        assert DOCUMENT in page
        assert lab_world.visitors.splitlines()[-1].startswith(GATEWAY_UP_ADDRESS)

        [session] = running.ask("sessions")
        assert (session["user"], session["address"], session["client_ip"]) == ("alice", mine, GUEST_ADDRESS)
        assert running.ask("status")["sessions"]
        client.hang_up()
    running.wait_event("TEARDOWN")
    assert running.ask("sessions") == []


def test_a_transfer_from_the_client(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_up()
        client.ping(INSIDE)
        client.route(f"{SERVER_ADDRESS}/32")
        assert _upload(client, UPLOAD_SIZE)
        client.hang_up()
    ended = running.wait_event("TEARDOWN")
    assert ended["bytes_in"] > UPLOAD_SIZE > ended["bytes_out"]


LOSS = """
table ip loss {
  chain forward {
    type filter hook forward priority filter
    iifname "tap0" meta l4proto 47 numgen inc mod 40 == 20 drop
    oifname "tap0" meta l4proto 47 numgen inc mod 40 == 20 drop
  }
}
"""


@contextmanager
def lossy_router(world: World) -> Iterator[None]:
    """Let the router lose one GRE packet in forty, in each direction."""
    world.access.run("nft", "-f", "-", input=LOSS)
    try:
        yield
    finally:
        world.access.run("nft", "delete", "table", "ip", "loss")


@pytest.mark.parametrize("mode", ["stateless", "stateful"])
def test_encryption_survives_loss(lab_world: World, gateway: GatewayMaker, mode: str) -> None:
    running = gateway(ppp={"mppe_mode": mode})
    with Client(lab_world.guest, GATEWAY_ADDRESS, options=("require-mppe-128", "mppe-stateful")) as client:
        client.wait_up()
        client.ping(INSIDE)
        assert running.wait_event("MPPE_UP")["mode"] == mode
        with lossy_router(lab_world):
            _fetch(lab_world, client, SMALL_DOCUMENT)
            assert _upload(client, 50_000)
        if mode == "stateful":
            assert "sent [CCP ResetReq" in client.log
            assert "rcvd [CCP ResetReq" in client.log
        client.hang_up()


def _fetch(world: World, client: Client, document: str) -> None:
    """Fetch a document through the tunnel and the gateway's NAT; its digest must be right."""
    client.route(f"{SERVER_ADDRESS}/32")
    before = len(world.visitors.splitlines())
    digest = client.run(f"wget -q -O - http://{SERVER_ADDRESS}/{document} | sha256sum", timeout=240)
    assert digest.split()[0] == world.digests[document]
    [visit] = world.visitors.splitlines()[before:]
    assert visit.startswith(GATEWAY_UP_ADDRESS)


def _upload(client: Client, size: int) -> bool:
    """Send that much (and a third more: it is base64) through the tunnel; return whether it arrived as it was."""
    client.run(f"head -c {size} /dev/urandom | base64 > /run/upload")
    sent = client.run("sha256sum /run/upload").split()[0]
    return client.run(f"wget -q -O - --post-file /run/upload http://{SERVER_ADDRESS}/", timeout=240) == sent
