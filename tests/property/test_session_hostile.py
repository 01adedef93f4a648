"""A whole session against a peer that becomes hostile in any phase: it goes on or ends, in time and with one reason."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.machine import Entropy
from holdfast.ppp.authentication_types import Method, PeerCredentials, VerifyCredentials
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import AddressAssignment, AssignAddress, CloseNetwork, OpenNetwork
from holdfast.ppp.config import CcpConfig, IpcpConfig, LinkConfig, MppePolicy
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.framing import Protocol, join
from holdfast.ppp.link import Link
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet
from holdfast.secret import Secret
from holdfast.session import ClearCall, Finished, Session, SessionConfig, SessionState
from holdfast.wire.tlv import write_options

PASSWORD = Secret(b"correct horse")
METHODS = (Method.MS_CHAP_V2, Method.MS_CHAP, Method.CHAP_MD5, Method.PAP)
PATIENCE = 150.0
"""Seconds, more than every timer of a session together: set-up, authentication, requests, goodbyes."""
LONGEST_WALK = 40
MOST_ANSWERS = 12


class Victim:
    """The gateway's session with an honest client, until `attack`."""

    def __init__(self, method: Method) -> None:
        noise: Entropy = random.Random(7).randbytes
        encrypted = CcpConfig(MppePolicy.REQUIRE if method.name.startswith("MS_CHAP") else MppePolicy.OFF)
        client = LinkConfig(
            accept=(method,),
            credentials=PeerCredentials("alice", PASSWORD),
            ccp=encrypted,
            ipcp=IpcpConfig(assigns=False),
        )
        self.now = 0.0
        self.session = Session("s", Link(LinkConfig(demand=(method,), ccp=encrypted), noise), SessionConfig())
        self.client = Session("c", Link(client, noise), SessionConfig(first_frame_wait=0))
        self.network_open = False
        self.ends: list[Finished] = []
        self.cleared = 0
        self._stored = StoredSecret.from_password(PASSWORD)

    def walk(self, steps: int) -> list[bytes]:
        """Let so many frames of the honest client arrive; return the next ones, which never do."""
        self.session.open(self.now)
        self.client.open(self.now)
        waiting: list[bytes] = []
        for _ in range(steps):
            self.client.commands()
            waiting += self.client.outgoing()
            if not waiting:
                break
            self.receive(waiting.pop(0))
            for frame in self.session.outgoing():
                self.client.receive(frame, self.now)
        return waiting + self.client.outgoing()

    def receive(self, frame: bytes) -> None:
        """Let a frame arrive."""
        self.session.receive(frame, self.now)
        self._serve()

    def wait(self) -> None:
        """Let the peer be silent for as long as any timer can run."""
        end = self.now + PATIENCE
        while (deadline := self.session.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.session.handle_timer(self.now)
            self._serve()
        self.now = end

    def _serve(self) -> None:
        while commands := self.session.commands():
            for command in commands:
                self._answer(command)
        self.session.events()

    def _answer(self, command: object) -> None:
        if isinstance(command, VerifyCredentials):
            self.session.credentials_verified(verify(command.exchange, self._stored), self.now)
        elif isinstance(command, AssignAddress):
            self.session.address_assigned(AddressAssignment("10.0.0.1", "10.0.0.2"), self.now)
        elif isinstance(command, (OpenNetwork, CloseNetwork)):
            self.network_open = isinstance(command, OpenNetwork)
        elif isinstance(command, ClearCall):
            self.cleared += 1
        elif isinstance(command, Finished):
            self.ends.append(command)

    def check(self) -> None:
        """Up, with traffic possible, or over with one reason: nothing between."""
        if self.session.state is SessionState.UP:
            assert self.network_open
            assert not self.ends
        else:
            assert self.session.state is SessionState.ENDED
            assert (len(self.ends), self.cleared) == (1, 1)
            assert self.ends[0].evidence
            assert self.session.deadline is None


nested = st.builds(lambda inner: write_options([Option(1, write_options([Option(3, inner)]))]), st.binary(max_size=40))
cut = st.sampled_from([b"\x01", b"\x01\x00", b"\x01\x01", b"\x03\x09\xc2", b"\x12\xff", b"\x05\x06\x00"])
listed = st.lists(st.builds(Option, st.integers(0, 255), st.binary(max_size=20)), max_size=6).map(write_options)
chap = st.builds(
    lambda size, value, name: bytes([size]) + value + name,
    st.integers(0, 255),
    st.binary(max_size=80),
    st.binary(max_size=400),
)
data = listed | nested | cut | chap | st.binary(max_size=60)
packets = st.builds(Packet, st.sampled_from([*Code]) | st.integers(0, 255), st.integers(0, 20), data)
made = st.builds(lambda protocol, packet: join(protocol, packet.encode()), st.sampled_from([*Protocol]), packets)
bent = st.tuples(st.integers(0, 5), st.integers(0, 80), st.integers(0, 255), st.integers(0, 80))
"""One of the honest client's next frames; which octet to change, to what, and how many octets to cut off."""
frames = made | st.builds(join, st.sampled_from([*Protocol]), st.binary(max_size=30)) | st.binary(max_size=30)


def bend(frame: bytes, place: int, octet: int, less: int) -> bytes:
    changed = bytearray(frame)
    changed[place % len(changed)] = octet
    return bytes(changed[: len(changed) - less % len(changed)])


@given(st.sampled_from(METHODS), st.integers(0, LONGEST_WALK), st.lists(bent | frames, max_size=12))
@settings(max_examples=400, deadline=None)
def test_hostile_in_any_phase(method: Method, steps: int, attack: list[bytes | tuple[int, int, int, int]]) -> None:
    victim = Victim(method)
    honest = victim.walk(steps)
    for one in attack:
        if isinstance(one, bytes):
            victim.receive(one)
        elif honest:
            victim.receive(bend(honest[one[0] % len(honest)], *one[1:]))
        assert len(victim.session.outgoing()) <= MOST_ANSWERS
    victim.wait()
    victim.check()


@given(st.sampled_from(METHODS), st.integers(0, 120), st.integers(0, 255), st.binary(max_size=500))
@settings(max_examples=200, deadline=None)
def test_responses_of_any_size_and_names_of_any_length(method: Method, size: int, said: int, name: bytes) -> None:
    victim = Victim(method)
    honest = victim.walk(4)
    protocol = Protocol.PAP if method is Method.PAP else Protocol.CHAP
    body = bytes([said]) + bytes(size) + name
    for identifier in range(3):
        victim.receive(join(protocol, Packet(2 if protocol is Protocol.CHAP else 1, identifier, body).encode()))
    assert not victim.network_open
    for frame in honest:
        victim.receive(frame)
    victim.wait()
    victim.check()
    assert not victim.network_open


def test_the_walk_reaches_every_phase() -> None:
    """Without this, the attacks above might all come too early or too late."""
    for method in METHODS:
        phases = set()
        for steps in range(LONGEST_WALK + 1):
            victim = Victim(method)
            victim.walk(steps)
            phases.add(victim.session.status()["phase"])
        assert {"establish", "authenticate", "network"} <= phases
        assert victim.session.state is SessionState.UP
