"""Every value of a session names its source: RADIUS with the attribute, the file with its line, the user, the pool."""

from ipaddress import IPv4Address

import pytest

from holdfast.gateway.radius import use_radius
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.users import Users
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import CcpConfig, IpcpConfig, MppePolicy
from holdfast.radius.attributes import Attribute, attribute
from holdfast.radius.codes import Code
from support.fake_host import host_of
from support.pns_client import PnsClient
from unit.gateway.test_radius import PLAIN, configuration, serving

pytestmark = pytest.mark.asyncio
OPEN = CcpConfig(policy=MppePolicy.PREFER)
SECTIONS = """
[pools.staff]
ranges = ["10.88.0.10-10.88.0.11"]
[filters.guests]
rules = ["allow any"]
[groups.office]
time_warning = 30
"""
EVERYTHING = {
    "Framed-IP-Address": IPv4Address("10.99.0.9"),
    "Framed-IP-Netmask": IPv4Address("255.255.255.248"),
    "Framed-Route": "192.168.5.0/24 0.0.0.0 1",
    "Framed-Pool": "staff",
    "Filter-Id": "guests",
    "Framed-MTU": 1200,
    "MS-Primary-DNS-Server": IPv4Address("192.0.2.1"),
    "MS-Primary-NBNS-Server": IPv4Address("192.0.2.2"),
    "MS-MPPE-Encryption-Types": 0,
    "Mikrotik-Group": "office",
    "Mikrotik-Total-Limit": 1_000_000,
    "Mikrotik-Rate-Limit": "2M/10M",
    "Session-Timeout": 14400,
    "Idle-Timeout": 600,
    "Acct-Interim-Interval": 600,
    "Port-Limit": 3,
    "Class": b"gold",
    "Reply-Message": "welcome",
    "User-Name": "alice.smith",
}
SOURCES = {
    "address": ("10.99.0.9", "Framed-IP-Address"),
    "routes": (["192.168.5.0/24", "10.99.0.8/29"], "Framed-Route and Framed-IP-Netmask"),
    "pool": ("staff", "Framed-Pool"),
    "filter": ("guests", "Filter-Id"),
    "mtu": (1200, "Framed-MTU"),
    "dns": (["192.0.2.1"], "MS-Primary-DNS-Server"),
    "wins": (["192.0.2.2"], "MS-Primary-NBNS-Server"),
    "mppe_bits": ([], "MS-MPPE-Encryption-Types"),
    "group": ("office", "Mikrotik-Group"),
    "volume_limit": (1_000_000, "Mikrotik-Total-Limit"),
    "rate_up": (2_000_000, "Mikrotik-Rate-Limit"),
    "rate_down": (10_000_000, "Mikrotik-Rate-Limit"),
    "session_timeout": (14400, "Session-Timeout"),
    "idle_timeout": (600, "Idle-Timeout"),
    "accounting_interval": (600, "Acct-Interim-Interval"),
    "sessions_per_user": (3, "Port-Limit"),
    "class": (["gold"], "Class"),
    "reply_message": ("welcome", "Reply-Message"),
    "user": ("alice.smith", "User-Name"),
}


async def why(world) -> tuple[dict, dict]:
    answer = await world.operation.why({"session": world.only().session.session_id})
    return {one["key"]: (one["value"], one["origin"]) for one in answer["settings"]}, answer


async def judged(world, tmp_path, attributes: list[Attribute], **dial) -> tuple[dict, dict, str]:
    """Let a client in with these attributes; return what `why` answers and the server's name."""
    async with serving(lambda _: (Code.ACCESS_ACCEPT, attributes)) as (_, port):
        use_radius(world.gateway, configuration(tmp_path, port), Authenticator([Users(world.store)]))
        client = await PnsClient.dial(world.client_engine, world.port, methods=(Method.PAP,), ccp=OPEN, **dial)
        await client.up()
        return *await why(world), f"RADIUS 127.0.0.1:{port}"


@pytest.mark.parametrize("world", [PLAIN + SECTIONS], indirect=True)
async def test_radius_and_its_attribute_are_named_for_all_that_came_from_it(world, tmp_path):
    host_of(world)
    attributes = [attribute(name, value) for name, value in EVERYTHING.items()]
    shown, answer, server = await judged(world, tmp_path, attributes)
    expected = {key: (value, f"{server}: {name}") for key, (value, name) in SOURCES.items()}
    assert {key: shown[key] for key in expected} == expected
    assert (answer["group"], answer["ignored"], answer["unknown"]) == ("office", [], [])
    assert shown["time_warning"][1].startswith("group office")
    assert not world.named("RADIUS_IGNORED")


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
async def test_what_radius_said_in_vain_is_told_once(world, tmp_path):
    attributes = [attribute("Framed-MTU", 64), attribute("Mikrotik-Group", "sales"), Attribute(99, b"x", 14988)]
    shown, answer, server = await judged(world, tmp_path, attributes)
    (told,) = world.named("RADIUS_IGNORED")
    assert list(told["ignored"]) == answer["ignored"]
    assert answer["ignored"] == [
        f"{server}: Framed-MTU = 64: below the 576 octets that every host must take",
        f"{server}: Mikrotik-Group = 'sales': the configuration has no [groups.sales]",
    ]
    assert answer["unknown"] == ["14988/99"]
    assert (told["server"], told["user"]) == (server.removeprefix("RADIUS "), "alice")
    assert shown["mtu"][0] == 1396


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
async def test_an_mtu_beyond_what_is_possible_is_told(world, tmp_path):
    shown, answer, server = await judged(world, tmp_path, [attribute("Framed-MTU", 1500)])
    assert answer["ignored"] == [f"{server}: Framed-MTU = 1500: 1400 is the most that is sent (default)"]
    assert shown["mtu"] == (1396, "LCP agreed on less than 1400 (default)")


@pytest.mark.parametrize("world", [PLAIN], indirect=True)
@pytest.mark.parametrize(("given", "address"), [("255.255.255.255", "10.77.0.123"), ("255.255.255.254", "10.77.0.10")])
async def test_the_client_chooses_its_address_where_radius_lets_it(world, tmp_path, given, address):
    attributes = [attribute("Framed-IP-Address", IPv4Address(given))]
    shown, _, server = await judged(world, tmp_path, attributes, ipcp=IpcpConfig(assigns=False, wish="10.77.0.123"))
    assert shown["address"][0] == address
    chooses = f"; the client may choose ({server}: Framed-IP-Address)" if given.endswith("255") else ""
    assert shown["address"][1] == f"addresses.pool{chooses}"


LOCAL = """
[addresses]
wins = ["192.0.2.7"]
[ppp]
mtu = 1300
[pools.staff]
ranges = ["10.88.0.10-10.88.0.11"]
[groups.office]
pool = "staff"
"""


@pytest.mark.parametrize("world", [LOCAL], indirect=True)
async def test_local_sources_are_named(world, crowd):
    world.users.set_policy("alice", group="office", settings={"idle_timeout": 60.0})
    await crowd.up()
    shown, answer = await why(world)
    assert shown["address"] == (
        "10.88.0.10",
        f"pools.staff, named by group office ({world.file}:9)",
    )
    assert shown["wins"] == (["192.0.2.7"], f"{world.file}:3")
    assert shown["mtu"] == (1300, f"{world.file}:5")
    assert shown["dns"] == (["192.0.2.53"], "this machine's resolv.conf")
    assert shown["group"] == ("office", "user alice")
    assert shown["idle_timeout"] == (60, "user alice")
    assert shown["mppe"] == ("require", "default")
    assert not {"class", "reply_message"} & set(shown)
    assert answer["group"] == "office"


@pytest.mark.parametrize("world", [""], indirect=True)
async def test_an_address_of_ones_own(world, crowd):
    world.users.set_address("alice", IPv4Address("10.77.0.200"))
    await crowd.up()
    shown, _ = await why(world)
    assert shown["address"] == ("10.77.0.200", "user alice")
