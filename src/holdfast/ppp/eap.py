"""EAP where this side is the authenticator and someone else the EAP server: pass-through (RFC 3748 section 2.3).

The machine asks for the Identity itself, as RFC 3579 section 2.1 prefers it. Each Response becomes a question
(`VerifyCredentials`), and each answer the next Request, a Success or a Failure. It understands headers and Types; what
methods say to each other passes untouched. We never prove ourselves by EAP: a peer that demands it is told so by LCP.
"""

from typing import ClassVar

from holdfast.errors import DisconnectReason
from holdfast.machine import Entropy
from holdfast.ppp.authentication_machine import AuthenticationMachine, Authenticator, Timer
from holdfast.ppp.authentication_types import AuthenticatorConfig, EapExchange, EapRequest, Exchange, Method, Verdict
from holdfast.ppp.eap_types import FAILURE, NOT_A_METHOD, REQUEST, RESPONSE, SUCCESS, EapType, type_name
from holdfast.ppp.packet import Packet, parse
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError
from holdfast.wire.text import printable

LONGEST_IDENTITY = 253
"""Octets that User-Name can hold (RFC 2865 section 5.1)."""
LARGEST_MESSAGE = 3000
"""Octets of a Response that are passed on: in 253-octet pieces it fits a RADIUS packet of 4096 with all else."""
MOST_ROUNDS = 100
"""Responses in one conversation. EAP-TLS with a long chain of certificates needs about twenty."""
MOST_TRANSMISSIONS = 5
"""Times that one Request is sent (RFC 3748 section 4.3: three to five retransmissions)."""
LONGEST_WAIT = 20.0
"""Seconds between two retransmissions (RFC 3748 section 4.3, after RFC 2988)."""


def read_exactly(octets: bytes) -> Packet | None:
    """Return an EAP packet that has just the length that it says, as in RADIUS; None for anything else."""
    try:
        packet = parse(octets)
    except MalformedError:
        return None
    return packet if packet.encode() == octets else None


def read_request(octets: bytes) -> Packet | None:
    """Return an EAP-Request with a Type; None for anything else."""
    packet = read_exactly(octets)
    return packet if packet is not None and packet.code == REQUEST and packet.data else None


class EapAuthenticator(Authenticator):
    """Passes EAP between a peer and whoever answers `VerifyCredentials`; one Request at a time (RFC 3748 section 2).

    `_request` with its `_identifier` is what the peer owes a Response to while `_waiting`.
    """

    __slots__ = (
        "_eap_type",
        "_identified",
        "_identifier",
        "_mtu",
        "_name",
        "_patience",
        "_request",
        "_rounds",
        "_server",
        "_state",
        "_transmissions",
        "_wait",
        "_waiting",
    )
    saved: ClassVar[tuple[str, ...]] = (*AuthenticationMachine.saved, *__slots__)

    def __init__(self, method: Method, config: AuthenticatorConfig, entropy: Entropy) -> None:
        super().__init__(method, config, entropy)
        self._mtu = config.mtu
        self._identifier = entropy(1)[0]
        self._request = b""
        self._waiting = self._identified = False
        self._transmissions = self._rounds = self._eap_type = 0
        self._patience = self._wait = 0.0
        self._name = self._state = b""
        self._server = ""

    def start(self, now: float) -> None:
        """Ask who the peer is (RFC 3748 section 5.1)."""
        identifier = (self._identifier + 1) & 0xFF
        self._demand(Packet(REQUEST, identifier, bytes((EapType.IDENTITY,))), 0.0, now)

    def _demand(self, request: Packet, patience: float, now: float) -> None:
        self._identifier, self._request = request.identifier, request.encode()
        self._patience = patience
        self._wait = patience or self.config.timing.restart_interval
        self._transmissions, self._waiting = 0, True
        self._transmit(now)

    def _transmit(self, now: float) -> None:
        """Send the Request. A wait that the server named holds for that Request unchanged (RFC 3580 section 3.17)."""
        self._outgoing.append(self._request)
        self._transmissions += 1
        self._timers.start(Timer.RESTART, now + self._wait)
        self._wait = self._patience or min(self._wait * 2, LONGEST_WAIT)

    # --- the peer ------------------------------------------------------------------------------------------

    def _handle(self, packet: Packet, now: float) -> None:
        """A Response to anything but the current Request is discarded, as are its duplicates (RFC 3748 section 4.1)."""
        if packet.code != RESPONSE:
            self._violation(f"code {packet.code} sent to an authenticator")
        elif not self._waiting or packet.identifier != self._identifier:
            return
        elif not packet.data:
            self._violation("a Response without a Type")
        elif len(packet.data) > LARGEST_MESSAGE:
            self._violation(f"a Response of {len(packet.data)} octets")
        elif self._identified:
            self._pass_on(packet, now)
        else:
            self._identify(packet, now)

    def _identify(self, packet: Packet, now: float) -> None:
        name = packet.data[1:]
        if packet.data[0] != EapType.IDENTITY:
            self._violation(f"the Identity was answered with {type_name(packet.data[0])}")
        elif len(name) > LONGEST_IDENTITY:
            self._violation(f"an Identity of {len(name)} octets")
        else:
            self._identified, self._name = True, name
            self._pass_on(packet, now)

    def _pass_on(self, packet: Packet, now: float) -> None:
        self._waiting = False
        self._rounds += 1
        exchange = self._exchange(packet)
        if self._rounds > MOST_ROUNDS:
            self._decide(exchange, Verdict.reject(detail=f"no decision after {MOST_ROUNDS} Responses"), now)
        else:
            self._ask(exchange, now)

    def _exchange(self, packet: Packet) -> EapExchange:
        message, state = Secret(packet.encode()), Secret(self._state)
        return EapExchange(
            self._name, packet.identifier, message, self._mtu, self._server, state, self._eap_type
        )  # fmt: skip

    # --- whoever judges ------------------------------------------------------------------------------------

    def _go_on(self, exchange: Exchange, answer: EapRequest, now: float) -> None:
        """Pass the next Request to the peer.

        The server may repeat the last one, when the Response to it was not to its taste (RFC 3579 section 2.6.1).
        """
        request = read_request(answer.message.reveal())
        if request is None:
            detail = "what the EAP server wants to send is no EAP-Request"
            self._decide(exchange, Verdict.reject(detail=detail, reason=DisconnectReason.AUTH_REFUSED), now)
            return
        self._server, self._state = answer.server, answer.state.reveal()
        if request.data[0] not in NOT_A_METHOD:
            self._eap_type = request.data[0]
        self._demand(request, answer.patience, now)

    def _decide(self, exchange: Exchange, verdict: Verdict, _now: float) -> None:
        user = verdict.user or exchange.account
        if verdict.undecided:
            self._abstain(user, verdict)
            return
        self._conclude(exchange, verdict)
        if verdict.accepted:
            name = type_name(self._eap_type) if self._eap_type else ""
            detail = verdict.detail or f"the server is satisfied by {name or 'EAP'}"
            self._succeed(user, verdict.mppe, detail, eap_type=name, message=verdict.message)
            return
        detail = verdict.detail or verdict.message or "the server says no"
        self._note_rejection(user, verdict, detail)
        self._fail(user, 0, detail, verdict.reason)

    def _conclude(self, exchange: Exchange, verdict: Verdict) -> None:
        """Tell the peer: in the server's packet; one that contradicts the verdict is kept back, and none made up for it
        (RFC 3579 section 2.6.3). A refusal of our own has no packet yet."""
        code = SUCCESS if verdict.accepted else FAILURE
        if verdict.verbatim:
            packet = read_exactly(verdict.verbatim)
            if packet is not None and packet.code == code:
                self._outgoing.append(verdict.verbatim)
        elif not verdict.accepted:
            self._send(FAILURE, exchange.identifier, b"")

    # --- time ----------------------------------------------------------------------------------------------

    def _expired(self, name: Timer, now: float) -> None:
        if name is Timer.VERIFICATION:
            self._nobody_judged(now)
        elif self._waiting and self._transmissions < min(MOST_TRANSMISSIONS, self.config.timing.max_transmissions):
            self._transmit(now)
        elif self._waiting:
            self._give_up()

    def _give_up(self) -> None:
        self._waiting = False
        asked = type_name(self._request[4])
        detail = f"no Response to {self._transmissions} Requests ({asked})"
        self._fail(printable(self._name), 0, detail, DisconnectReason.AUTH_FAILED)
