"""CHAP, both roles (RFC 1994), and the frame in which MS-CHAP runs (`mschap` fills in the hooks).

One departure, shared with every implementation in the field: an unanswered Challenge is sent again as it was, with
its Identifier, so that a Response that was merely slow still counts. A new challenge value always gets a new one.
"""

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
    CHALLENGE,
    FAILURE,
    RESPONSE,
    SUCCESS,
    ChapValue,
    build_value,
    message_octets,
    parse_value,
    printable_text,
)
from holdfast.ppp.authentication_types import (
    MAX_NAME,
    AuthenticatorConfig,
    ChapMd5Exchange,
    Exchange,
    Method,
    PeerCredentials,
    Verdict,
)
from holdfast.ppp.crypto import chap_md5_response
from holdfast.ppp.packet import Packet
from holdfast.secret import Secret


class ChapAuthenticator(Authenticator):
    """Challenges, collects the Response, asks for a verdict, and answers. Subclasses change what a Response holds.

    `_identifier` is what the next Response must carry while `_waiting`; `_answered` and `_reply` are the Identifier and
    the packet of the last answer, which a repeated Response gets again (RFC 1994 section 4.1).
    """

    __slots__ = ("_answered", "_attempts", "_challenge", "_identifier", "_reply", "_transmissions", "_waiting")
    saved: ClassVar[tuple[str, ...]] = (*AuthenticationMachine.saved, *__slots__)
    challenge_size: ClassVar[int] = 16
    can_retry: ClassVar[bool] = False

    def __init__(self, method: Method, config: AuthenticatorConfig, entropy: Entropy) -> None:
        super().__init__(method, config, entropy)
        self._identifier = entropy(1)[0]
        self._challenge = b""
        self._transmissions = 0
        self._attempts = 0
        self._waiting = False
        self._answered: int | None = None
        self._reply = b""

    def start(self, now: float) -> None:
        """Send the first Challenge."""
        self._identifier = (self._identifier + 1) & 0xFF
        self._challenge = self._entropy(self.challenge_size)
        self._transmissions = self._attempts = 0
        self._waiting = True
        self._transmit(now)

    def challenge_again(self, now: float) -> bool:
        """A challenge may come at any time (RFC 1994 section 2)."""
        if self.outcome is not None and self.outcome.succeeded and not self._waiting and self._pending is None:
            self.start(now)
        return self.outcome is not None and self.outcome.succeeded

    def withdraw(self) -> None:
        """Nobody can judge the peer's later answer: it gets none, for a Success has to prove something as well."""
        super().withdraw()
        self._waiting = False

    def _transmit(self, now: float) -> None:
        self._send(CHALLENGE, self._identifier, build_value(self._challenge, self.config.name.encode()))
        self._transmissions += 1
        self._timers.start(Timer.RESTART, now + self.config.timing.restart_interval)

    def _handle(self, packet: Packet, now: float) -> None:
        if packet.code != RESPONSE:
            self._other_code(packet)
        elif packet.identifier == self._answered:
            self._outgoing.append(self._reply)
        elif self._waiting and packet.identifier == self._identifier:
            self._take(packet, now)

    def _other_code(self, packet: Packet) -> None:
        self._violation(f"code {packet.code} sent to an authenticator")

    def _take(self, packet: Packet, now: float) -> None:
        parsed = parse_value(packet.data)
        if parsed is None:
            self._violation("a Response whose Value-Size does not fit")
            return
        self._waiting = False
        self._attempts += 1
        exchange = self._exchange(packet.identifier, parsed) if len(parsed.name) <= MAX_NAME else None
        if exchange is not None:
            self._ask(exchange, now)
            return
        self._violation("a Response of the wrong size")
        claim = Exchange(parsed.name[:MAX_NAME], packet.identifier)
        self._decide(claim, Verdict.reject(detail="a Response of the wrong size"), now)

    def _exchange(self, identifier: int, response: ChapValue) -> Exchange | None:
        """Return the exchange, None when the value has the wrong size."""
        if len(response.value) != 16:
            return None
        return ChapMd5Exchange(response.name, identifier, Secret(self._challenge), Secret(response.value))

    def _decide(self, exchange: Exchange, verdict: Verdict, now: float) -> None:
        user = verdict.user or exchange.account
        message = self._success_message(verdict) if verdict.accepted else None
        if message is not None and self.outcome is not None and self.outcome.user != user:
            verdict, message = Verdict.reject(detail="another user answered a later challenge"), None
        if message is not None:
            self._answer(SUCCESS, exchange.identifier, message)
            self._accepted(user, verdict, now)
        elif verdict.accepted:
            detail = "the verdict held no authenticator response"
            self._abstain(user, Verdict.reject(detail=detail, reason=DisconnectReason.INTERNAL_ERROR))
        elif verdict.undecided:
            self._abstain(user, verdict)
        else:
            self._reject(user, exchange, verdict, now)

    def _accepted(self, user: str, verdict: Verdict, now: float) -> None:
        # The keys are those of the first authentication (RFC 3079 section 3), so a later one changes nothing.
        if self.outcome is None:
            self._succeed(user, verdict.mppe, verdict.detail or "the response is right", message=verdict.message)
        if self.config.rechallenge_interval is not None:
            self._timers.start(Timer.RECHALLENGE, now + self.config.rechallenge_interval)

    def _reject(self, user: str, exchange: Exchange, verdict: Verdict, now: float) -> None:
        first = self.outcome is None
        retry = verdict.retry and self.can_retry and first and self._attempts < self.config.max_attempts
        detail = verdict.detail or verdict.message or "wrong name or password"
        self._note_rejection(user, verdict, detail)
        self._challenge = self._next_challenge(verdict)
        self._answer(FAILURE, exchange.identifier, self._failure_message(verdict, retry))
        if not retry:
            self._fail(user, self._result_code(verdict), detail, verdict.reason)
            return
        self._tell_failure(user, self._result_code(verdict), detail)
        # RFC 2759 section 6: R=1 disables short timeouts; section 9.1: the new Response increments the Identifier. The
        # Failure is repeated meanwhile, as Windows does, because a lost one would leave a person waiting for nothing.
        self._identifier = (exchange.identifier + 1) & 0xFF
        self._waiting = True
        self._timers.start(Timer.ANSWER, now + self.config.timing.retry_timeout)
        self._timers.start(Timer.RESTART, now + self.config.timing.restart_interval)

    def _result_code(self, _verdict: Verdict) -> int:
        """Return the number for event and outcome: plain CHAP has none."""
        return 0

    def _answer(self, code: int, identifier: int, message: bytes) -> None:
        self._answered = identifier
        self._reply = self._send(code, identifier, message)

    def _success_message(self, verdict: Verdict) -> bytes | None:
        """Return the message of a Success, None when the verdict lacks what it needs."""
        return message_octets(verdict.message)

    def _next_challenge(self, _verdict: Verdict) -> bytes:
        return self._entropy(self.challenge_size)

    def _failure_message(self, verdict: Verdict, _retry: bool) -> bytes:
        return message_octets(verdict.message)

    def _expired(self, name: Timer, now: float) -> None:
        if name is Timer.RECHALLENGE:
            self.start(now)
        elif name is Timer.VERIFICATION:
            self._nobody_judged(now)
        elif self._waiting and name is Timer.RESTART:
            self._restart(now)
        elif self._waiting:
            self._give_up()

    def _restart(self, now: float) -> None:
        if self._attempts:
            self._outgoing.append(self._reply)
            self._timers.start(Timer.RESTART, now + self.config.timing.restart_interval)
        elif self._transmissions < self.config.timing.max_transmissions:
            self._transmit(now)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._waiting = False
        rejection = self.last_rejection
        if rejection is not None:
            detail = "no further attempt after a rejected one"
            self._fail(rejection.user, rejection.result_code, detail, rejection.reason)
        else:
            user = "" if self.outcome is None else self.outcome.user
            detail = f"no Response to {self._transmissions} Challenges"
            self._fail(user, 0, detail, DisconnectReason.AUTH_FAILED)


class ChapPeer(Peer):
    """Answers every Challenge (RFC 1994 section 4.1), also later ones, and hears the result.

    A Response without answer is sent again: the Success may be lost, and the authenticator MUST repeat it when asked
    that way (same section).
    """

    __slots__ = ("_challenge", "_identifier", "_response", "_transmissions")
    saved: ClassVar[tuple[str, ...]] = (*AuthenticationMachine.saved, *__slots__)

    def __init__(self, method: Method, credentials: PeerCredentials, entropy: Entropy) -> None:
        super().__init__(method, credentials, entropy)
        self._identifier: int | None = None
        self._challenge = b""
        self._response = b""
        self._transmissions = 0

    def start(self, now: float) -> None:
        """Wait for the Challenge."""
        self._timers.start(Timer.ANSWER, now + self.credentials.timing.answer_timeout)

    def _handle(self, packet: Packet, now: float) -> None:
        if packet.code == CHALLENGE:
            self._challenged(packet, now)
        elif packet.code not in {SUCCESS, FAILURE}:
            self._violation(f"code {packet.code} sent to a peer")
        elif packet.identifier == self._identifier:
            self._result(packet)

    def _challenged(self, packet: Packet, now: float) -> None:
        parsed = parse_value(packet.data)
        if self.outcome is not None and not self.outcome.succeeded:
            return
        if parsed is None or not self._acceptable(parsed.value):
            self._violation("a Challenge of the wrong size")
            return
        if (packet.identifier, parsed.value) != (self._identifier, self._challenge):
            self._identifier, self._challenge = packet.identifier, parsed.value
            self._response = self._value()
        self._transmissions = 0
        self._respond(now)
        if self.outcome is None:
            self._timers.start(Timer.ANSWER, now + self.credentials.timing.answer_timeout)

    def _respond(self, now: float) -> None:
        self._send(RESPONSE, self._identifier or 0, build_value(self._response, self.credentials.user.encode()))
        self._transmissions += 1
        if self.outcome is None and self._transmissions < self.credentials.timing.max_transmissions:
            self._timers.start(Timer.RESTART, now + self.credentials.timing.restart_interval)

    def _acceptable(self, _challenge: bytes) -> bool:
        return True

    def _value(self) -> bytes:
        """Return the value of the Response to the current challenge."""
        password = self.credentials.password.reveal()
        return chap_md5_response(self._identifier or 0, password, self._challenge)

    def _result(self, packet: Packet) -> None:
        if packet.code == FAILURE:
            self._refused(packet.data)
        elif self.outcome is None:
            self._granted(packet.data)

    def _granted(self, message: bytes) -> None:
        self._succeed(self.credentials.user, None, printable_text(message))

    def _refused(self, message: bytes) -> None:
        if self.outcome is None or self.outcome.succeeded:
            text = printable_text(message) or "name or password refused"
            self._fail(self.credentials.user, 0, text, DisconnectReason.AUTH_FAILED)

    def _expired(self, name: Timer, now: float) -> None:
        if self.outcome is not None:
            return
        if name is Timer.RESTART:
            self._respond(now)
        else:
            missing = "no Challenge came" if self._identifier is None else "the Response was not answered"
            self._fail(self.credentials.user, 0, missing, DisconnectReason.AUTH_FAILED)
