"""Two authentication machines that talk to each other, without a link around them."""

from collections.abc import Callable
from random import Random

from holdfast.events import Event
from holdfast.ppp.authentication import (
    Authenticator,
    AuthenticatorConfig,
    Method,
    Peer,
    PeerCredentials,
    Verdict,
    make_authenticator,
    make_peer,
)
from holdfast.ppp.authentication_types import Exchange
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.packet import Packet
from holdfast.secret import Secret

PASSWORD = b"clientPass"
METHODS = [Method.PAP, Method.CHAP_MD5, Method.MS_CHAP, Method.MS_CHAP_V2]
CHAPS = METHODS[1:]


def build_packet(code: int, identifier: int, data: bytes) -> bytes:
    """Return an information field."""
    return Packet(code, identifier, data).encode()


def judge(password: bytes = PASSWORD) -> Callable[[Exchange], Verdict]:
    """Return someone who knows one password, the same for every user."""
    stored = StoredSecret.from_password(Secret(password))
    return lambda exchange: verify(exchange, stored)


class Pair:
    """An authenticator and a peer. What went by is kept: `sent` and `answered` are the packets of each."""

    def __init__(
        self,
        method: Method,
        *,
        password: bytes = PASSWORD,
        user: str = "User",
        config: AuthenticatorConfig | None = None,
        judged_by: Callable[[Exchange], Verdict] | None = None,
        seed: int = 1,
    ) -> None:
        entropy = Random(seed).randbytes
        self.credentials = PeerCredentials(user, Secret(password))
        self.config = config or AuthenticatorConfig()
        self.authenticator: Authenticator = make_authenticator(method, self.config, entropy)
        self.peer: Peer = make_peer(method, self.credentials, entropy)
        self.judged_by = judged_by or judge()
        self.sent: list[bytes] = []
        self.answered: list[bytes] = []
        self.exchanges: list[Exchange] = []
        self.events: list[Event] = []

    def start(self, now: float = 0.0) -> "Pair":
        """Start both sides and let them talk."""
        self.authenticator.start(now)
        self.peer.start(now)
        return self.talk(now)

    def talk(self, now: float = 0.0) -> "Pair":
        """Pass packets and questions until nobody says anything."""
        while self.step(now):
            pass
        return self

    def step(self, now: float) -> bool:
        """Pass what is waiting; return whether there was anything."""
        to_peer, to_authenticator = self.authenticator.outgoing(), self.peer.outgoing()
        self.sent += to_peer
        self.answered += to_authenticator
        for packet in to_peer:
            self.peer.receive(packet, now)
        for packet in to_authenticator:
            self.authenticator.receive(packet, now)
        questions = self.authenticator.commands()
        for question in questions:
            self.exchanges.append(question.exchange)
            self.authenticator.credentials_verified(self.judged_by(question.exchange), now)
        self.events += self.authenticator.events() + self.peer.events()
        return bool(to_peer or to_authenticator or questions)
