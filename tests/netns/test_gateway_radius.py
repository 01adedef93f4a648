"""What a FreeRADIUS on the gateway's host is told of a session, from the question to the last record. Needs root."""

import json
import subprocess
import time
from dataclasses import dataclass

import pytest

from support import freeradius
from support.gateway_lab import BEYOND, CLIENT, FIRST, GatewayLab
from support.lab_gateway import Gateway, Section
from support.lab_peers import USERS
from support.patience import until
from support.ports import free_ports

pytestmark = pytest.mark.root
PLAN = f"""
alice Cleartext-Password := "{USERS["alice"]}"
    Framed-IP-Address := 10.77.0.99, Class := "gold", Class += "office"
"""
PLACE = {
    "User-Name": "alice",
    "NAS-Identifier": "gw.example.net",
    "NAS-IP-Address": FIRST,
    "NAS-Port-Type": "Virtual",
    "Service-Type": "Framed-User",
    "Framed-Protocol": "PPP",
    "Tunnel-Type:0": "PPTP",
    "Tunnel-Medium-Type:0": "IPv4",
    "Tunnel-Client-Endpoint:0": CLIENT,
    "Tunnel-Server-Endpoint:0": FIRST,
    "Calling-Station-Id": CLIENT,
    "Called-Station-Id": FIRST,
}
"""What is said in the question and in every record alike."""
COUNTS = {
    "Acct-Session-Time",
    *(f"Acct-{way}-{what}" for way in ("Input", "Output") for what in ("Octets", "Gigawords", "Packets")),
}


@dataclass
class Server:
    """A FreeRADIUS that writes down questions and records."""

    running: freeradius.FreeRadius
    section: Section

    def questions(self) -> list[dict[str, str]]:
        """Return the Access-Requests."""
        path = self.running.directory / "questions"
        return freeradius.read_detail(path.read_text()) if path.exists() else []

    def records(self, kind: str) -> list[dict[str, str]]:
        """Return the accounting records of a kind."""
        return [one for one in self.running.detail() if one.get("Acct-Status-Type") == kind]


@pytest.fixture
def radius(lab: GatewayLab) -> Server:
    ports, place = free_ports(2), lab.folder / "radius"
    parts = freeradius.Parts(
        modules=f"detail questions {{\n        filename = {place}/questions\n    }}", authorize="questions"
    )
    freeradius.write(place, ports, parts, PLAN)
    process = freeradius.start(place, tuple(lab.gateway.wrap()))
    lab.running.callback(process.wait, 60)
    lab.running.callback(process.terminate)
    secrets = lab.folder / "radius.secrets"
    secrets.touch(0o600)
    secrets.write_text(f"127.0.0.1\t{freeradius.SECRET}\n")
    section = {
        "servers": [f"127.0.0.1:{ports[0]}"],
        "accounting_servers": [f"127.0.0.1:{ports[1]}"],
        "secrets_file": str(secrets),
        "nas_identifier": "gw.example.net",
        "dynamic_listen": "127.0.0.1",
        "dynamic_clients": ["127.0.0.1"],
    }
    return Server(freeradius.FreeRadius(place, *ports), section)


def ask(lab: GatewayLab, kind: str, text: str) -> str:
    """Send a Disconnect or CoA as an administrator does; return what radclient printed."""
    request = lab.folder / "request"
    request.write_text(f"{text}, Event-Timestamp = {int(time.time())}, Message-Authenticator = 0x00\n")
    words = ("radclient", "-x", "-r", "1", "-t", "30", "-f", str(request), "127.0.0.1:3799", kind, freeradius.SECRET)
    done = subprocess.run(lab.gateway.wrap(*words), capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def dialled(lab: GatewayLab, radius: Server) -> tuple[Gateway, dict[str, str]]:
    """Return a gateway and its session, which FreeRADIUS let in and through which something went."""
    gateway = lab.serve(radius=radius.section, timeouts={"accounting_interval": 2.0})
    lab.dial().wait_up()
    session = gateway.session()
    until(lambda: lab.pings(BEYOND), 20, lambda: str(gateway.ask("sessions")))
    return gateway, session


def test_every_question_and_record_says_whose_it_is(lab: GatewayLab, radius: Server) -> None:
    gateway, session = dialled(lab, radius)
    until(lambda: len(radius.records("Interim-Update")) > 1, 20, lambda: str(radius.running.detail()))
    assert "Received Disconnect-ACK" in ask(lab, "disconnect", f'Acct-Session-Id = "{session["id"]}"')
    assert gateway.wait_event("TEARDOWN")["reason"] == "radius_disconnect"
    until(lambda: radius.records("Stop"), 20, lambda: str(radius.running.detail()))
    question = radius.questions()[0]
    own = {"Acct-Session-Id": session["id"], "Acct-Multi-Session-Id": question["Acct-Multi-Session-Id"]}
    own |= {name: question[name] for name in ("NAS-Port", "Connect-Info")}
    assert question["Connect-Info"].startswith("PPTP")
    for one in (question, *radius.running.detail()):
        if one.get("Acct-Status-Type") != "Accounting-On":
            assert {name: one.get(name) for name in PLACE | own} == PLACE | own
    (start,), updates, (stop,) = (radius.records(kind) for kind in ("Start", "Interim-Update", "Stop"))
    for one in (start, *updates, stop):
        assert (one["Framed-IP-Address"], one["Acct-Authentic"]) == ("10.77.0.99", "RADIUS")
        assert one["Class"] == "0x6f6666696365", "both go back; the dictionary of `read_detail` keeps the last"
        assert "Event-Timestamp" in one
        assert int(one["Acct-Delay-Time"]) >= 0
    assert all(set(one) >= COUNTS for one in (*updates, stop))
    assert int(stop["Acct-Input-Octets"]) > 0
    assert stop["Acct-Terminate-Cause"] == "Admin-Reset"
    (on,) = radius.records("Accounting-On")
    assert (on["NAS-Identifier"], bool(on["Acct-Session-Id"])) == ("gw.example.net", True)


def test_a_change_is_for_the_session_that_every_attribute_names(lab: GatewayLab, radius: Server) -> None:
    gateway, session = dialled(lab, radius)
    until(lambda: radius.records("Start"), 20, lambda: str(radius.running.detail()))
    (start,) = radius.records("Start")
    named = {name: f'"{start[name]}"' for name in ("Acct-Session-Id", "User-Name", "Calling-Station-Id")}
    named |= {name: start[name] for name in ("Framed-IP-Address", "NAS-Port", "NAS-IP-Address")}
    every = ", ".join(f"{name} = {value}" for name, value in named.items())
    assert "Received CoA-ACK" in ask(lab, "coa", f"{every}, Session-Timeout = 7200")
    for name in ("User-Name", "Framed-IP-Address", "Calling-Station-Id"):
        assert "Received CoA-ACK" in ask(lab, "coa", f"{name} = {named[name]}, Idle-Timeout = 900"), name
    others = every.replace('"alice"', '"bob"')
    assert "Session-Context-Not-Found" in ask(lab, "coa", f"{others}, Idle-Timeout = 1")
    settings = {one["key"]: one for one in json.loads(gateway.command("why", session["id"], "--json"))["settings"]}
    assert (settings["session_timeout"]["value"], settings["idle_timeout"]["value"]) == (7200, 900)
    assert settings["session_timeout"]["origin"] == "CoA 127.0.0.1: Session-Timeout"
