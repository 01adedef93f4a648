"""What groups, users and RADIUS may say of a session, on a real host: filters, networks behind clients, rates. Root."""

import json
import subprocess

import pytest

from support import freeradius
from support.dialling import reaches
from support.engine_lab import wait_until
from support.gateway_lab import BEYOND, INSIDE, GatewayLab
from support.lab_gateway import Section
from support.lab_peers import USERS
from support.ports import free_ports

pytestmark = pytest.mark.root
BEHIND = "192.168.5.1"
FILTERS = {
    "filters.pings": {"rules": [f"allow {BEYOND} icmp"]},
    "filters.inside": {"rules": [f"allow {INSIDE}"]},
    "limits": {"filter": "pings"},
}


def members(lab: GatewayLab) -> list[str]:
    """The addresses that stand under some filter."""
    listed = json.loads(lab.gateway.run("nft", "-j", "list", "table", "inet", "holdfast"))["nftables"]
    return [str(member) for one in listed if "set" in one for member in one["set"].get("elem", [])]


def connects(lab: GatewayLab, address: str, port: int, patience: float = 60) -> bool:
    """Whether the client gets a TCP connection there: a refusal is an answer, too."""
    code = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))\n"
        "except ConnectionRefusedError: pass\n"
        "except OSError: sys.exit(1)\n"
    )
    command = lab.client.wrap("python3", "-c", code, address, str(port), str(patience))
    return subprocess.run(command, check=False).returncode == 0


def test_a_filter_decides_what_a_client_reaches_and_goes_with_it(lab: GatewayLab) -> None:
    gateway = lab.serve(**FILTERS)
    client = lab.dial("192.0.2.1", "--network", f"{INSIDE}/32")
    gateway.wait_event("IP_UP")
    wait_until(lambda: lab.pings(BEYOND), 20)
    assert len(members(lab)) == 1
    assert not connects(lab, BEYOND, 81, 2)
    assert not connects(lab, INSIDE, 81, 2)
    assert not lab.pings(INSIDE, tries=1)
    client.stop()
    wait_until(lambda: not members(lab), 10)


def test_without_a_filter_the_same_is_reached(lab: GatewayLab) -> None:
    gateway = lab.serve(**{**FILTERS, "limits": {}})
    lab.dial("192.0.2.1", "--network", f"{INSIDE}/32")
    gateway.wait_event("IP_UP")
    wait_until(lambda: lab.pings(BEYOND), 20)
    assert connects(lab, BEYOND, 81)
    assert lab.pings(INSIDE)


def test_a_network_behind_the_client_is_reached_and_its_route_goes_also_after_a_kill(lab: GatewayLab) -> None:
    before = lab.picture()
    gateway = lab.serve()
    gateway.command("user", "set", "alice", "routes=192.168.5.0/24")
    lab.client.ip("address", "add", f"{BEHIND}/24", "dev", "lo")
    try:
        client = lab.dial()
        gateway.wait_event("IP_UP")
        wait_until(lambda: lab.pings(BEHIND, lab.gateway), 20)
        assert "192.168.5.0/24 dev holdfast0" in lab.gateway.ip("route")
        assert reaches(lab.client, BEYOND, "-I", BEHIND)
        client.stop()
        wait_until(lambda: "192.168.5.0/24" not in lab.gateway.ip("route"), 10)
        client = lab.dial()
        gateway.wait_event("IP_UP", count=2)
        wait_until(lambda: "192.168.5.0/24" in lab.gateway.ip("route"), 10)
        lab.kill(client)
        gateway.kill()
        gateway.start()
        assert "192.168.5.0/24" not in lab.gateway.ip("route")
        gateway.stop()
    finally:
        lab.client.ip("address", "del", f"{BEHIND}/24", "dev", "lo")
    assert lab.picture()["routes"] == before["routes"]


def test_a_rate_holds_back_what_is_beyond_it(lab: GatewayLab) -> None:
    gateway = lab.serve(limits={"rate_up": 400_000})
    lab.dial()
    gateway.wait_event("IP_UP")
    wait_until(lambda: lab.pings(BEYOND), 20)
    # 100 pings of 1028 octets at once are 82 kbit; a quarter of a second's worth is 12 of them
    flood = lab.client.wrap("ping", "-l100", "-c100", "-s1000", "-W2", BEYOND)
    said = subprocess.run(flood, capture_output=True, text=True, check=False).stdout
    came = int(said.partition(" received")[0].rpartition(" ")[2])
    assert 10 <= came <= 90, said
    assert gateway.session()["address"]


PLAN = f"""
alice Cleartext-Password := "{USERS["alice"]}"
    Framed-IP-Address := 10.77.0.99, Framed-IP-Netmask := 255.255.255.255, Framed-Route := "{BEHIND}/24 0.0.0.0 1",
    Framed-Route += "0.0.0.0/0 0.0.0.0 1", Framed-MTU := 1300, Filter-Id := "inside", Framed-Pool := "staff",
    MS-Primary-DNS-Server := 192.0.2.99, MS-Primary-NBNS-Server := 192.0.2.98, Mikrotik-Group := "office",
    Mikrotik-Rate-Limit := "2M/10M", Mikrotik-Total-Limit := 1000000000, Session-Timeout := 14400, Idle-Timeout := 600,
    Acct-Interim-Interval := 600, Port-Limit := 3, Class := "gold", Reply-Message := "welcome"
"""
FROM_RADIUS = {
    "address": "Framed-IP-Address",
    "routes": "Framed-Route",
    "mtu": "Framed-MTU",
    "filter": "Filter-Id",
    "pool": "Framed-Pool",
    "dns": "MS-Primary-DNS-Server",
    "wins": "MS-Primary-NBNS-Server",
    "group": "Mikrotik-Group",
    "rate_up": "Mikrotik-Rate-Limit",
    "volume_limit": "Mikrotik-Total-Limit",
    "session_timeout": "Session-Timeout",
    "idle_timeout": "Idle-Timeout",
    "accounting_interval": "Acct-Interim-Interval",
    "sessions_per_user": "Port-Limit",
    "mppe": "MS-MPPE-Encryption-Policy",
    "class": "Class",
    "reply_message": "Reply-Message",
}


@pytest.fixture
def radius(lab: GatewayLab) -> dict[str, Section]:
    """A FreeRADIUS on the gateway's host; the sections of a gateway that asks it."""
    ports = free_ports(2)
    place = lab.folder / "radius"
    freeradius.configure(place, ports, users=PLAN)
    file = place / "radiusd.conf"
    file.write_text(file.read_text().replace("use_mppe = yes", "use_mppe = yes\n        require_encryption = yes"))
    server = freeradius.start(place, tuple(lab.gateway.wrap()))
    lab.running.callback(server.wait, 60)
    lab.running.callback(server.terminate)
    secrets = lab.folder / "radius.secrets"
    secrets.touch(0o600)
    secrets.write_text(f"127.0.0.1 {freeradius.SECRET}\n")
    section = {"servers": [f"127.0.0.1:{ports[0]}"], "secrets_file": str(secrets), "accounting_servers": []}
    return {"radius": section, "pools.staff": {"ranges": ["10.88.0.10-10.88.0.20"]}, "groups.office": {}}


def test_why_names_freeradius_and_the_attribute_of_every_value(lab: GatewayLab, radius: dict[str, Section]) -> None:
    gateway = lab.serve(**{**FILTERS, **radius, "limits": {}})
    dialer = lab.dial("192.0.2.1", "--network", f"{INSIDE}/32")
    dialer.wait_up()
    session = gateway.session()
    answer = json.loads(gateway.command("why", session["id"], "--json"))
    server = f"RADIUS {radius['radius']['servers'][0]}"
    origins = {one["key"]: one["origin"] for one in answer["settings"]}
    assert {key: origins[key] for key in FROM_RADIUS} == {key: f"{server}: {name}" for key, name in FROM_RADIUS.items()}
    values = {one["key"]: one["value"] for one in answer["settings"]}
    assert (values["address"], values["dns"], values["mtu"]) == ("10.77.0.99", ["192.0.2.99"], 1300)
    assert answer["ignored"] == [
        f"{server}: Framed-Route = '0.0.0.0/0 0.0.0.0 1': not a network that can lie behind one client"
    ]
    assert list(gateway.wait_event("RADIUS_IGNORED")["ignored"]) == answer["ignored"]
    table = gateway.command("why", session["id"])
    assert "10.77.0.99" in table
    assert "Framed-IP-Address" in table
