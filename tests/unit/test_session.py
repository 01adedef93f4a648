"""A session: a call and its link, in virtual time."""

import json
import random

import pytest

from holdfast.errors import DisconnectReason
from holdfast.ppp.authentication_types import Method, PeerCredentials, Verdict, VerifyCredentials
from holdfast.ppp.commands import AddressAssignment, AddressRefusal, AssignAddress, OpenNetwork
from holdfast.ppp.config import IpcpConfig, LinkConfig
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.link import Link
from holdfast.secret import Secret
from holdfast.session import ClearCall, Finished, Session, SessionConfig, SessionState

PASSWORD = Secret(b"correct horse")
V2 = (Method.MS_CHAP_V2,)


class Pair:
    """A gateway's session and a client's, joined by a wire that loses nothing."""

    def __init__(self, password: Secret = PASSWORD, config: SessionConfig | None = None) -> None:
        noise = random.Random(1)
        credentials = PeerCredentials("alice", password)
        client = LinkConfig(accept=V2, credentials=credentials, ipcp=IpcpConfig(assigns=False))
        self.now = 0.0
        self.server = Session("s", Link(LinkConfig(demand=V2), noise.randbytes), config or SessionConfig())
        self.client = Session("c", Link(client, noise.randbytes), SessionConfig(first_frame_wait=0))
        self.commands: dict[str, list] = {"s": [], "c": []}
        self.cut = False
        self.stored = StoredSecret.from_password(PASSWORD)
        self.address: AddressAssignment | AddressRefusal = AddressAssignment("10.0.0.1", "10.0.0.2")

    def open(self) -> "Pair":
        self.server.open(self.now)
        self.client.open(self.now)
        return self

    def run(self, seconds: float = 30.0, until=lambda: False) -> "Pair":
        """Let everything happen for a while, jumping from deadline to deadline."""
        end = self.now + seconds
        while self.now <= end and not until():
            if self._exchange():
                continue
            deadlines = [one.deadline for one in (self.server, self.client) if one.deadline is not None]
            if not deadlines or min(deadlines) > end:
                break
            self.now = max(self.now, min(deadlines))
            for one in (self.server, self.client):
                if one.deadline is not None and one.deadline <= self.now:
                    one.handle_timer(self.now)
        return self

    def _exchange(self) -> bool:
        moved = False
        for one, other in ((self.server, self.client), (self.client, self.server)):
            while commands := one.commands():
                moved = True
                self.commands[one.session_id] += commands
                for command in commands:
                    self._answer(one, command)
            for frame in one.outgoing():
                moved = True
                if not self.cut:
                    other.receive(frame, self.now)
        return moved

    def _answer(self, one: Session, command: object) -> None:
        if isinstance(command, VerifyCredentials):
            one.credentials_verified(verify(command.exchange, self.stored), self.now)
        elif isinstance(command, AssignAddress):
            one.address_assigned(self.address, self.now)

    def said(self, session: str, kind: type) -> list:
        return [command for command in self.commands[session] if isinstance(command, kind)]


@pytest.fixture
def up() -> Pair:
    pair = Pair().open().run(5)
    assert pair.server.state is pair.client.state is SessionState.UP
    return pair


def test_a_session_comes_up(up):
    assert up.said("s", OpenNetwork) == [OpenNetwork("10.0.0.1", "10.0.0.2")]
    assert up.server.status()["user"] == "alice"
    assert up.now < 1, "nothing had to be sent twice"


def test_the_gateway_waits_for_the_first_frame_but_not_for_ever():
    pair = Pair()
    pair.server.open(0)
    assert pair.server.outgoing() == []
    assert pair.server.deadline == pytest.approx(0.7)
    pair.server.handle_timer(0.7)
    assert pair.server.outgoing()[0][:3] == b"\xc0\x21\x01"


def test_closing_ends_both_sides_with_one_reason_each(up):
    up.server.close(DisconnectReason.ADMIN, "an administrator", up.now)
    up.run(10)
    assert up.said("s", Finished) == [Finished(DisconnectReason.ADMIN, "an administrator")]
    assert len(up.said("s", ClearCall)) == 1
    (finished,) = up.said("c", Finished)
    assert finished.reason is DisconnectReason.ADMIN
    up.server.close(DisconnectReason.IDLE_TIMEOUT, "too late", up.now)
    up.server.abort(DisconnectReason.IDLE_TIMEOUT, "too late", up.now)
    up.server.call_cleared(DisconnectReason.CONTROL_LOST, "too late", up.now)
    up.server.receive(b"\xc0\x21\x09\x01\x00\x08abcd", up.now)
    assert up.server.commands() == []


def test_a_peer_that_does_not_answer_the_goodbye_is_left(up):
    up.cut = True
    up.server.close(DisconnectReason.ADMIN, "an administrator", up.now)
    before = up.now
    up.run(60)
    assert up.said("s", Finished)[0].reason is DisconnectReason.ADMIN
    assert up.now - before <= 10


def test_the_first_cause_is_the_reason(up):
    up.server.close(DisconnectReason.ADMIN, "an administrator", up.now)
    up.server.call_cleared(DisconnectReason.CONTROL_LOST, "TCP is gone", up.now)
    up.run(1)
    assert up.said("s", Finished) == [Finished(DisconnectReason.ADMIN, "an administrator")]
    assert up.said("s", ClearCall) == [], "there is no call left to clear"


def test_a_wrong_password_is_the_reason_even_when_the_peer_hangs_up():
    pair = Pair(password=Secret(b"wrong")).open().run(60)
    (finished,) = pair.said("s", Finished)
    assert finished.reason is DisconnectReason.AUTH_FAILED
    assert pair.said("s", OpenNetwork) == []


def test_a_disabled_account_is_said():
    pair = Pair()
    refusal = Verdict.reject(647, reason=DisconnectReason.AUTH_REFUSED, detail="the account is disabled")
    pair._answer = lambda one, command: (
        one.credentials_verified(refusal, pair.now) if isinstance(command, VerifyCredentials) else None
    )
    pair.open().run(60)
    (finished,) = pair.said("s", Finished)
    assert finished.reason is DisconnectReason.AUTH_REFUSED


def test_no_address_ends_with_that_reason():
    pair = Pair()
    pair.address = AddressRefusal("the pool is empty")
    pair.open().run(60)
    (finished,) = pair.said("s", Finished)
    assert finished.reason is DisconnectReason.NO_ADDRESS
    assert "pool" in finished.evidence


def test_a_silent_peer_is_given_up():
    pair = Pair()
    pair.cut = True
    pair.open().run(200)
    (finished,) = pair.said("s", Finished)
    assert finished.reason is DisconnectReason.NETWORK_ERROR
    assert "no PPP frame of the peer ever arrived" in finished.evidence
    assert pair.now < 62
    assert pair.server.deadline is None


def test_whoever_dawdles_beyond_the_setup_timeout_is_given_up():
    pair = Pair(config=SessionConfig(setup_timeout=5))
    pair._answer = lambda _one, _command: None  # the credentials are never judged
    pair.open().run(30, until=lambda: bool(pair.said("s", Finished)))
    (finished,) = pair.said("s", Finished)
    assert finished.reason is DisconnectReason.AUTH_UNAVAILABLE  # the client waits for us
    assert "5 s" in finished.evidence


class Restarted(Pair):
    """A pair whose gateway side is written down and read back whenever it waits."""

    def _exchange(self) -> bool:
        if super()._exchange():
            return True  # a session is drained before it is written down
        state = json.loads(json.dumps(self.server.snapshot(), default=_plain), object_hook=_octets)
        self.server = Session.restore(state, SessionConfig(), LinkConfig(demand=V2), random.Random(2).randbytes)
        return False


def _plain(value: object) -> object:
    assert isinstance(value, bytes), f"{value!r} is not plain data"
    return {"octets": value.hex()}


def _octets(value: dict) -> object:
    return bytes.fromhex(value["octets"]) if set(value) == {"octets"} else value


def test_a_session_that_is_written_down_whenever_it_waits_goes_on():
    pair = Restarted().open().run(5)
    assert pair.server.state is pair.client.state is SessionState.UP
    assert pair.said("s", OpenNetwork) == [OpenNetwork("10.0.0.1", "10.0.0.2")]
    pair.server.close(DisconnectReason.ADMIN, "an administrator", pair.now)
    pair.run(10)
    (finished,) = pair.said("s", Finished)
    assert finished.reason is DisconnectReason.ADMIN


def test_a_refusal_survives_being_written_down():
    pair = Restarted(password=Secret(b"wrong")).open().run(60)
    (finished,) = pair.said("s", Finished)
    assert finished.reason is DisconnectReason.AUTH_FAILED


def test_time_remaining_reaches_the_peer(up):
    up.server.time_remaining(60, "one minute", up.now)
    (frame,) = up.server.outgoing()
    assert frame[:3] == b"\xc0\x21\x0d"
    assert b"one minute" in frame


def test_whoever_does_not_say_who_it_is_in_time_is_given_up():
    pair = Pair(config=SessionConfig(authentication_timeout=4.0))
    pair._answer = lambda one, command: None
    pair.open().run(4.5)
    (end,) = pair.said("s", Finished)
    assert end.reason is DisconnectReason.AUTH_UNAVAILABLE
    assert "had not proved who it is 4 s" in end.evidence
    pair.run(10)
    assert pair.said("c", Finished)[0].reason is DisconnectReason.AUTH_UNAVAILABLE


def test_whoever_does_not_even_begin_to_is_given_up():
    pair = Pair(config=SessionConfig(authentication_timeout=4.0))
    pair.cut = True
    pair.open().run(60)
    (end,) = pair.said("s", Finished)
    assert end.reason is DisconnectReason.NEGOTIATION_FAILED
    assert "authentication had not begun 4 s" in end.evidence


def test_who_is_up_is_not_asked_again(up):
    pair = Pair(config=SessionConfig(authentication_timeout=4.0)).open().run(100)
    assert pair.server.state is SessionState.UP


def test_a_probe_is_answered(up):
    up.server.probe(up.now)
    (frame,) = up.server.outgoing()
    assert frame[:3] == b"\xc0\x21\x09"
    up.client.receive(frame, up.now)
    assert up.client.outgoing()[0][:3] == b"\xc0\x21\x0a"
