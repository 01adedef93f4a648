"""PAP, both roles (RFC 1334 section 2). The password crosses the link in the clear."""

from typing import ClassVar

from holdfast.errors import DisconnectReason
from holdfast.machine import Entropy
from holdfast.ppp.authentication_machine import (
    AuthenticationMachine,
    Authenticator,
    Peer,
    Timer,
)
from holdfast.ppp.authentication_packets import (
    AUTHENTICATE_ACK,
    AUTHENTICATE_NAK,
    AUTHENTICATE_REQUEST,
    build_message,
    build_request,
    parse_message,
    parse_request,
)
from holdfast.ppp.authentication_types import (
    AuthenticatorConfig,
    Exchange,
    Method,
    PapExchange,
    PeerCredentials,
    Verdict,
)
from holdfast.ppp.packet import Packet


class PapAuthenticator(Authenticator):
    """Waits for an Authenticate-Request, asks, and answers it; repeated ones get the same answer."""

    __slots__ = ("_answer", "_message")
    saved: ClassVar[tuple[str, ...]] = (*AuthenticationMachine.saved, "_answer", "_message")

    def __init__(self, method: Method, config: AuthenticatorConfig, entropy: Entropy) -> None:
        super().__init__(method, config, entropy)
        self._answer = 0
        self._message = b""

    def start(self, now: float) -> None:
        """Wait for the peer as long as a full round of retransmissions takes."""
        timing = self.config.timing
        self._timers.start(Timer.ANSWER, now + timing.restart_interval * timing.max_transmissions)

    def _handle(self, packet: Packet, now: float) -> None:
        if packet.code != AUTHENTICATE_REQUEST:
            self._violation(f"code {packet.code} sent to an authenticator")
            return
        request = parse_request(packet.data)
        if request is None:
            self._violation("an Authenticate-Request whose lengths do not fit")
        elif self._answer:
            self._send(self._answer, packet.identifier, self._message)
        elif self.outcome is None:
            self._take(PapExchange(request.peer_id, packet.identifier, request.password), now)

    def _take(self, exchange: PapExchange, now: float) -> None:
        if self._pending is None:
            self._ask(exchange, now)
        elif self._pending == PapExchange(exchange.name, self._pending.identifier, exchange.password):
            # A resent request has a new identifier (RFC 1334 section 2.2.1), and the peer may look for that one.
            self._pending = exchange

    def _decide(self, exchange: Exchange, verdict: Verdict, _now: float) -> None:
        user = verdict.user or exchange.account
        if verdict.undecided:
            self._abstain(user, verdict)
            return
        self._answer = AUTHENTICATE_ACK if verdict.accepted else AUTHENTICATE_NAK
        self._message = build_message(verdict.message)
        self._send(self._answer, exchange.identifier, self._message)
        if verdict.accepted:
            self._succeed(user, None, verdict.detail or "the password is right", message=verdict.message)
            return
        detail = verdict.detail or verdict.message or "wrong name or password"
        self._note_rejection(user, verdict, detail)
        self._fail(user, 0, detail, verdict.reason)

    def _expired(self, name: Timer, now: float) -> None:
        if name is Timer.VERIFICATION:
            self._nobody_judged(now)
        elif self.outcome is None:
            self._fail("", 0, "the peer sent no Authenticate-Request", DisconnectReason.AUTH_FAILED)


class PapPeer(Peer):
    """Sends Authenticate-Requests until one is answered."""

    __slots__ = ("_first", "_transmissions")
    saved: ClassVar[tuple[str, ...]] = (*AuthenticationMachine.saved, "_first", "_transmissions")

    def __init__(self, method: Method, credentials: PeerCredentials, entropy: Entropy) -> None:
        super().__init__(method, credentials, entropy)
        self._first = entropy(1)[0]
        self._transmissions = 0

    def start(self, now: float) -> None:
        """Send the first request."""
        name, password = self.credentials.user.encode(), self.credentials.password.reveal()
        if max(len(name), len(password)) > 255:
            self._fail(self.credentials.user, 0, "name or password too long for PAP", DisconnectReason.AUTH_FAILED)
        else:
            self._request(now)

    def _request(self, now: float) -> None:
        # RFC 1334 section 2.2.1: the Identifier MUST change each time a request is issued.
        data = build_request(self.credentials.user.encode(), self.credentials.password.reveal())
        self._send(AUTHENTICATE_REQUEST, (self._first + self._transmissions) & 0xFF, data)
        self._transmissions += 1
        self._timers.start(Timer.RESTART, now + self.credentials.timing.restart_interval)

    def _handle(self, packet: Packet, _now: float) -> None:
        if packet.code not in {AUTHENTICATE_ACK, AUTHENTICATE_NAK}:
            self._violation(f"code {packet.code} sent to a peer")
        elif self.outcome is None and (packet.identifier - self._first) & 0xFF < self._transmissions:
            self._conclude(packet.code == AUTHENTICATE_ACK, parse_message(packet.data))

    def _conclude(self, accepted: bool, message: str) -> None:
        user = self.credentials.user
        if accepted:
            self._succeed(user, None, message)
        else:
            self._fail(user, 0, message or "name or password refused", DisconnectReason.AUTH_FAILED)

    def _expired(self, _name: Timer, now: float) -> None:
        if self._transmissions < self.credentials.timing.max_transmissions:
            self._request(now)
        else:
            detail = f"no answer to {self._transmissions} Authenticate-Requests"
            self._fail(self.credentials.user, 0, detail, DisconnectReason.AUTH_FAILED)
