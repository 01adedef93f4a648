"""EAP between two links in virtual time, an EAP server behind one of them: bad wires, and hand-over at every moment."""

import pytest

from holdfast.events import AuthenticationSucceeded, MppeOpened
from holdfast.ppp import authentication
from holdfast.ppp.authentication_types import EapExchange, EapRequest, Method, Verdict
from holdfast.ppp.commands import StartMppe
from holdfast.ppp.eap_types import REQUEST, SUCCESS, EapType
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.packet import Packet
from holdfast.secret import Secret
from support.eap_peer import eap_peer
from support.ppp import End, Network, Wire, dialer, gateway, pair

ROUNDS = 6
KEYS = MppeKeyPair(Secret(b"s" * 16), Secret(b"r" * 16))


class Echo:
    """A method that says back what it hears, and knows the keys."""

    eap_type = EapType.TLS
    keys = KEYS.other_side()

    def __init__(self, user: str, password: bytes) -> None:
        pass

    def answer(self, data: bytes) -> bytes:
        return data


class Server(End):
    """The gateway's end with an EAP server behind it that wants `ROUNDS` answers, each the right one."""

    def _execute(self, command, now: float) -> None:
        if isinstance(command, authentication.VerifyCredentials):
            self.link.credentials_verified(self.judge(command.exchange), now)
        else:
            super()._execute(command, now)

    def judge(self, exchange: EapExchange) -> EapRequest | Verdict:
        """Ask the next question, or decide."""
        number = int(exchange.state.reveal() or b"0")
        message = exchange.message.reveal()
        assert exchange.server == ("server" if number else "")
        assert message[4:] == (b"\x0d" + bytes((number,)) * 900 if number else b"\x01alice")
        identifier = exchange.identifier + 1 & 0xFF
        if number == ROUNDS:
            return Verdict(True, KEYS, user="alice", verbatim=Packet(SUCCESS, exchange.identifier).encode())
        question = Packet(REQUEST, identifier, b"\x0d" + bytes((number + 1,)) * 900)
        return EapRequest(Secret(question.encode()), "server", Secret(str(number + 1).encode()))


@pytest.fixture(autouse=True)
def peer_by_eap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(Echo))


def network(wire: Wire | None = None, seed: int = 7) -> Network:
    made = pair(gateway(Method.EAP), dialer(Method.EAP), wire, seed)
    made.ends = (Server(gateway(Method.EAP), seed * 2 + 1), made.ends[1])
    return made


def check(made: Network) -> None:
    left, right = made.ends
    assert left.link.status()["network_open"]
    assert left.told(AuthenticationSucceeded) == [AuthenticationSucceeded("eap", "alice", True, "EAP-TLS")]
    assert left.told(MppeOpened) == [MppeOpened(128, "stateless")]
    ours, theirs = left.told(StartMppe)[-1], right.told(StartMppe)[-1]
    assert (ours.send, ours.receive) == (theirs.receive, theirs.send)


def test_a_good_wire() -> None:
    made = network().start().run(3.0)
    check(made)
    assert made.ends[0].link.status()["method"] == "eap"


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "wire",
    [Wire(loss=0.15), Wire(duplicates=0.5), Wire(delay=(0.01, 0.6)), Wire(loss=0.1, duplicates=0.2, delay=(0.01, 1.5))],
)
def test_a_bad_wire(wire: Wire, seed: int) -> None:
    check(network(wire, seed).start().run(240.0))


def test_handed_over_at_every_step() -> None:
    made = network(Wire(loss=0.1, duplicates=0.1), 3)
    made.after_each = made.ends[0].hand_over
    check(made.start().run(120.0))
