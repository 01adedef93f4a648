"""Who proved what to whom, as the packets of PAP, CHAP and EAP show it."""

from dataclasses import dataclass, field

from holdfast.capture.moment import Moment
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.authentication_packets import (
    RESPONSE_SIZE,
    Failure,
    parse_failure,
    parse_message,
    parse_request,
    parse_value,
)
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.eap_types import NOT_A_METHOD, EapType, type_name
from holdfast.ppp.framing import Protocol
from holdfast.wire.text import printable

CHALLENGE, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
REQUEST, ACK, NAK = 1, 2, 3


@dataclass(slots=True)
class Attempt:
    """One try of one side to prove itself to the other."""

    method: Method
    user: str
    by_client: bool
    sent: PppItem
    challenge: PppItem | None = None
    result: PppItem | None = None
    accepted: bool | None = None
    """None: no answer was seen."""
    failure: Failure = field(default_factory=Failure)
    message: str = ""
    eap_type: int = 0
    """The Type of the last EAP-Response that belongs to a method."""


@dataclass(slots=True)
class Authentication:
    """All attempts of a session, the client's and the server's."""

    attempts: list[Attempt] = field(default_factory=list)
    challenges: list[PppItem] = field(default_factory=list)
    eap: list[PppItem] = field(default_factory=list)

    @property
    def succeeded(self) -> Moment | None:
        """When the client was accepted."""
        found = (attempt for attempt in self.attempts if attempt.by_client and attempt.accepted)
        return next((attempt.result.moment for attempt in found if attempt.result), None)

    @property
    def failures(self) -> list[Attempt]:
        """The attempts that were refused."""
        return [attempt for attempt in self.attempts if attempt.accepted is False]

    @property
    def user(self) -> str:
        """The name that the client gave last; empty when none was seen."""
        names = [attempt.user for attempt in self.attempts if attempt.by_client and attempt.user]
        return names[-1] if names else ""

    @property
    def method(self) -> Method | None:
        """How the client tried last."""
        tried = [attempt.method for attempt in self.attempts if attempt.by_client]
        return tried[-1] if tried else None

    @property
    def method_words(self) -> str:
        """How the client tried last, with the method inside EAP where it was seen."""
        types = [attempt.eap_type for attempt in self.attempts if attempt.by_client]
        return type_name(types[-1]) if types and types[-1] else str(self.method or "")

    @property
    def eap_refused(self) -> bool:
        """Whether the last word of a side that proves itself by EAP was that it wants another method."""
        said = [item.packet.data for item in self.eap if item.packet.code == RESPONSE and item.packet.data]
        return bool(said) and said[-1][0] == EapType.NAK

    def take(self, item: PppItem, agreed: Method | None) -> None:
        """Take the next packet of an authentication protocol; `agreed` is what LCP says the sender must use."""
        if item.protocol == Protocol.PAP:
            self._pap(item)
        elif item.protocol == Protocol.CHAP:
            self._chap(item, agreed)
        else:
            self._eap(item)

    def _pap(self, item: PppItem) -> None:
        if item.packet.code == REQUEST:
            request = parse_request(item.packet.data)
            user = printable(request.peer_id) if request else ""
            repeated = self._open(item)
            if repeated is None or repeated.user != user:
                self.attempts.append(Attempt(Method.PAP, user, item.from_client, item))
        elif item.packet.code in (ACK, NAK) and (attempt := self._answered(item)):
            attempt.result, attempt.accepted = item, item.packet.code == ACK
            attempt.message = parse_message(item.packet.data)

    def _eap(self, item: PppItem) -> None:
        """An attempt begins with an Identity; what is inside the method nobody sees from here."""
        self.eap.append(item)
        code, kind = item.packet.code, item.packet.data[:1]
        if code == RESPONSE and kind:
            attempt = self._open(item)
            if kind[0] == EapType.IDENTITY and attempt is None:
                self.attempts.append(Attempt(Method.EAP, printable(item.packet.data[1:257]), item.from_client, item))
            elif attempt is not None and kind[0] not in NOT_A_METHOD:
                attempt.sent, attempt.eap_type = item, kind[0]
        elif code in (SUCCESS, FAILURE) and (attempt := self._answered(item)):
            attempt.result, attempt.accepted = item, code == SUCCESS

    def _chap(self, item: PppItem, agreed: Method | None) -> None:
        code = item.packet.code
        if code == CHALLENGE:
            self.challenges.append(item)
        elif code == RESPONSE:
            self._response(item, agreed)
        elif code in (SUCCESS, FAILURE) and (attempt := self._answered(item)):
            attempt.result, attempt.accepted = item, code == SUCCESS
            if attempt.method in (Method.MS_CHAP, Method.MS_CHAP_V2) and code == FAILURE:
                attempt.failure = parse_failure(item.packet.data)
                attempt.message = attempt.failure.message or printable(item.packet.data[:128])
            else:
                attempt.message = printable(item.packet.data[:128])

    def _response(self, item: PppItem, agreed: Method | None) -> None:
        value = parse_value(item.packet.data)
        if value is None or self._repeated(item):
            return
        size = len(value.value)
        method = Method.CHAP_MD5
        if size == RESPONSE_SIZE:
            method = agreed if agreed in (Method.MS_CHAP, Method.MS_CHAP_V2) else Method.MS_CHAP_V2
        challenges = [known for known in self.challenges if known.from_client != item.from_client]
        challenge = challenges[-1] if challenges else None
        self.attempts.append(Attempt(method, printable(value.name), item.from_client, item, challenge))

    def _repeated(self, item: PppItem) -> bool:
        """Whether a Response is the last one sent again because no answer came."""
        last = self._open(item)
        return last is not None and last.sent.packet == item.packet

    def _open(self, item: PppItem) -> Attempt | None:
        for attempt in reversed(self.attempts):
            if attempt.by_client == item.from_client:
                return attempt if attempt.accepted is None else None
        return None

    def _answered(self, item: PppItem) -> Attempt | None:
        """The attempt that an answer is about; an answer sent twice changes nothing."""
        for attempt in reversed(self.attempts):
            if attempt.by_client != item.from_client:
                return attempt if attempt.accepted is None else None
        return None
