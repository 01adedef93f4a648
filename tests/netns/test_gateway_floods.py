"""Hostile packets against a live gateway, while a session of an honest client goes on."""

import random
import struct
import time
from dataclasses import dataclass
from typing import Any

import pytest

from holdfast._native import gre_build
from holdfast.control.messages import CallDisconnectNotify
from support.captures import gre_packets
from support.dialling import DialProcess
from support.engine_lab import wait_until
from support.gateway_lab import FIRST, INSIDE, GatewayLab, resident_kib
from support.lab_gateway import Gateway
from support.raw_client import RawClient

pytestmark = pytest.mark.root
MANY = 40_000
CHANCE = random.Random(1723)
GROWTH_KIB = 12 * 1024
"""How much more memory a flood may cost at most, buffers that were used for the first time included."""
MOST_EVENTS = 300
SETUP_TIMEOUT = 6.0
STEADY = ("--set", "echo_failures=20")
"""A flood and a busy machine may make an honest client wait, but not for twenty echoes."""
LCP, CCP, IPCP, CHAP, IP, MPPE = (number.to_bytes(2, "big") for number in (0xC021, 0x80FD, 0x8021, 0xC223, 0x21, 0xFD))


@dataclass
class Scene:
    """A gateway with one honest session, and what the test must find unharmed."""

    lab: GatewayLab
    gateway: Gateway
    dialer: DialProcess
    memory: int

    def attack(self) -> RawClient:
        """Open a call of a client that plays by no rules."""
        return RawClient(self.lab.client, FIRST)

    def check(self) -> None:
        """The honest session must be up still, work, and the gateway be no larger and no more talkative."""
        assert self.lab.pings(INSIDE)
        assert (self.dialer.ups(), self.dialer.ends()) == (1, [])
        assert resident_kib(self.gateway.process.pid) - self.memory < GROWTH_KIB
        assert not self.gateway.events("INTERNAL_FAULT")
        assert len(self.gateway.events()) < MOST_EVENTS
        assert "Traceback" not in self.gateway.output

    def drops(self) -> dict[str, int]:
        """What the gateway has dropped in all."""
        drops: dict[str, int] = self.gateway.ask("status")["engine"]["drops"]
        return drops


@pytest.fixture
def scene(lab: GatewayLab) -> Scene:
    """A gateway and an honest session, warmed up."""
    gateway = lab.serve(timeouts={"setup_timeout": SETUP_TIMEOUT})
    dialer = lab.dial(FIRST, *STEADY)
    dialer.wait_up()
    assert lab.pings(INSIDE)
    return Scene(lab, gateway, dialer, resident_kib(gateway.process.pid))


def the_session(scene: Scene) -> dict[str, Any]:
    """What the gateway says of the honest session."""
    return scene.gateway.session()


def refused(scene: Scene, cause: str) -> int:
    """How much of a flood was refused: by the engine, or by the kernel where the engine did not keep up."""
    drops = scene.drops()
    return drops.get("socket_full", 0) + drops[cause] if drops.get(cause) else 0


def test_gre_for_unknown_calls(scene: Scene) -> None:
    known = the_session(scene)["local_call_id"]
    calls = [call for call in range(1, 65536) if call != known]
    with scene.attack() as attacker:
        calls.remove(attacker.call_id)
        sent = attacker.flood(gre_build(CHANCE.choice(calls), n, None, b"\xff\x03\xc0\x21") for n in range(MANY))
    wait_until(lambda: refused(scene, "unknown_call") > sent // 2, 10)
    scene.check()


def test_octets_of_any_kind(scene: Scene) -> None:
    with scene.attack() as attacker:
        sent = attacker.flood(CHANCE.randbytes(CHANCE.randrange(80)) for _ in range(MANY))
    wait_until(lambda: refused(scene, "malformed") > sent // 2, 10)
    scene.check()


def test_configure_requests_without_end(scene: Scene) -> None:
    with scene.attack() as attacker:
        for number in range(MANY):
            attacker.send(b"\xff\x03" + LCP + struct.pack("!BBHBBH", 1, number & 0xFF, 8, 1, 4, 1400))
        answers: list[bytes] = []
        wait_until(lambda: bool(answers.extend(attacker.heard()) or answers), 5)
        assert len(answers) <= MANY + 50
        assert attacker.hear(CallDisconnectNotify, SETUP_TIMEOUT + 120)
    scene.check()
    wait_until(lambda: len(scene.gateway.ask("sessions")) == 1, 10)


def test_frames_of_every_protocol(scene: Scene) -> None:
    """Right headers, wrong contents: options of length 0, 1 and beyond the end, names too long, nested rubbish."""
    chance = random.Random(2637)
    bodies = [
        b"",
        b"\x01",
        b"\x01\x00",
        b"\x01\x01",
        b"\x03\xff\x00",
        b"\x05\x05\x05\x05\x05",
        b"\xff" * 300,
        bytes(1300),
    ]
    with scene.attack() as attacker:
        for number in range(3000):
            protocol = chance.choice([LCP, CCP, IPCP, CHAP, b"\xc0\x23", b"\x80\x57", b"\xc2\x27", chance.randbytes(2)])
            body = chance.choice(bodies) or chance.randbytes(chance.randrange(60))
            length = chance.choice([len(body) + 4, 0, 3, 4, 65535, chance.randrange(1500)])
            head = struct.pack("!BBH", chance.randrange(20), number & 0xFF, length)
            attacker.send(b"\xff\x03" + protocol + head + body)
            time.sleep(0.0002)
        wait_until(lambda: len(scene.gateway.ask("sessions")) == 1, SETUP_TIMEOUT + 20)
    scene.check()


def test_encrypted_garbage_for_a_call_without_a_key(scene: Scene) -> None:
    with scene.attack() as attacker:
        for _ in range(MANY // 4):
            attacker.send(b"\xff\x03" + MPPE + CHANCE.randbytes(60))
            attacker.send(b"\xff\x03" + IP + CHANCE.randbytes(60))
    wait_until(lambda: len(scene.gateway.ask("sessions")) == 1, 10)
    scene.check()


@pytest.mark.parametrize("highest", [200, 20_000, 1 << 32], ids=["near", "ahead", "everywhere"])
def test_forged_packets_for_the_honest_session(scene: Scene, highest: int) -> None:
    """Garbage as the honest client's, from its address and with its Call ID: the session survives, with its keys."""
    call_id, chance = the_session(scene)["local_call_id"], random.Random(highest)
    with scene.attack() as attacker:
        for _ in range(MANY // 4):
            number = chance.randrange(highest)
            attacker.put(gre_build(call_id, number, None, b"\xff\x03" + MPPE + chance.randbytes(80)))
    # Real numbers that fell far behind the forged ones are believed again when sixteen of them follow each other.
    scene.lab.client.run("ping", "-i", "0.02", "-c", "200", "-w", "30", "-q", INSIDE, check=False)
    scene.check()
    assert not scene.gateway.events("MPPE_REKEY")


@pytest.mark.captures
def test_the_frames_of_cve_2020_8597(scene: Scene) -> None:
    """EAP with a name longer than pppd's buffer, as it was published, into a call that is being set up."""
    with scene.attack() as attacker:
        for original in gre_packets("certcc__cve-2020-8597_gre-samples.pcap"):
            attacker.put(original)
            attacker.put(original[:6] + struct.pack("!H", attacker.call_id) + original[8:])
        attacker.send(b"\xff\x03" + LCP + b"\x01\x01\x00\x04")
        wait_until(lambda: any(b"\xc0\x21\x02\x01" in octets for octets in attacker.heard()), 5)
    scene.check()
