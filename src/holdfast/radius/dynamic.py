"""Requests that a RADIUS server makes of us: Disconnect and Change-of-Authorization (RFC 5176).

Taken only from listed addresses, signed with their secret, and not twice: a repeated datagram gets the answer that it
got before, from whichever port it comes (who plays back what was overheard has one of their own). One that is old by
its Event-Timestamp is dropped; one without it must name its session by Acct-Session-Id, which is never given twice, so
that sending it again later harms nobody else.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from holdfast.radius.attributes import Attributes, attribute
from holdfast.radius.codes import Code, ErrorCause
from holdfast.radius.packet import PacketFault, RadiusPacket, read_request, write_reply
from holdfast.secret import Secret

WINDOW = 300
"""Seconds that clocks may differ (RFC 5176 section 6.3)."""
REMEMBERED = 16_384
"""Answers kept for repetitions: more than a server asks for while its Event-Timestamps hold."""
AUTHORIZE_ONLY = 17
"""Service-Type (RFC 5176 section 3.2)."""

ANSWERS = {
    Code.DISCONNECT_REQUEST: (Code.DISCONNECT_ACK, Code.DISCONNECT_NAK),
    Code.COA_REQUEST: (Code.COA_ACK, Code.COA_NAK),
}


@dataclass(frozen=True, slots=True)
class Match:
    """Which sessions are meant: every part that is not empty must fit.

    `gateway` (NAS-IP-Address), `called` (Called-Station-Id) and `port` (NAS-Port, -1 for none) alone name none.
    """

    session: str = ""
    user: str = ""
    address: str = ""
    station: str = ""
    gateway: str = ""
    called: str = ""
    multi: str = ""
    port: int = -1

    def __bool__(self) -> bool:
        return any((self.session, self.user, self.address, self.station, self.multi))


IDENTIFYING = frozenset(
    {
        "Acct-Session-Id",
        "Acct-Multi-Session-Id",
        "User-Name",
        "Framed-IP-Address",
        "Calling-Station-Id",
        "Called-Station-Id",
        "NAS-IP-Address",
        "NAS-Identifier",
        "NAS-Port",
    }
)
"""Attributes that say which session is meant (RFC 5176 section 3)."""
ACCOMPANYING = frozenset(
    {
        "Message-Authenticator",
        "Event-Timestamp",
        "Proxy-State",
        "Reply-Message",
        "Acct-Terminate-Cause",
        "Service-Type",
        "Framed-Protocol",
        "NAS-Port-Type",
        "Class",
    }
)
"""Attributes that change nothing: what a server copies from its records of a session."""


@dataclass(frozen=True, slots=True)
class DynamicRequest:
    """A request that is to be carried out and then answered with `DynamicServer.answer`."""

    packet: RadiusPacket
    source: tuple[str, int]
    match: Match

    @property
    def disconnects(self) -> bool:
        """Whether sessions are to end; else they are to change."""
        return self.packet.code == Code.DISCONNECT_REQUEST

    @property
    def values(self) -> Attributes:
        """What is to change."""
        return self.packet.values


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that needs nothing more. `octets` empty: it gets no answer; `why` is for the log, empty for none."""

    octets: bytes
    why: str = ""


class DynamicServer:
    """Judges datagrams. `now` is wall-clock time in seconds since 1970: it is compared with the sender's clock."""

    def __init__(
        self, clients: Mapping[str, Secret], nas_identifier: str, unsigned: frozenset[str] = frozenset()
    ) -> None:
        """`clients`: addresses and their secrets; `unsigned`: those that need no Message-Authenticator."""
        self._clients, self._unsigned = clients, unsigned
        self._nas_identifier = nas_identifier
        self._seen: OrderedDict[tuple[str, int, bytes], bytes] = OrderedDict()

    def receive(self, octets: bytes, source: tuple[str, int], now: float) -> DynamicRequest | Answered:
        """Take a datagram from an address and a port."""
        secret = self._clients.get(source[0])
        if secret is None:
            return Answered(b"", "it is from an address that is not listed")
        packet = read_request(octets, secret, require_message_authenticator=source[0] not in self._unsigned)
        if isinstance(packet, PacketFault):
            return Answered(b"", packet.value)
        key = (source[0], packet.identifier, packet.authenticator)
        if key in self._seen:
            return Answered(self._seen[key])
        if packet.code not in ANSWERS:
            return Answered(b"", f"code {packet.code} is no request that is taken here")
        request = DynamicRequest(packet, source, _match(packet.values))
        return self._judge(request, now)

    def _judge(self, request: DynamicRequest, now: float) -> DynamicRequest | Answered:
        values = request.values
        stamp = values.integer("Event-Timestamp")
        if stamp is not None and abs(now - stamp) > WINDOW:
            apart = f"its Event-Timestamp and our clock are {abs(now - stamp):.0f} s apart: a replay, or a wrong clock"
            return Answered(b"", apart)
        refusal = self._refusal(request)
        if refusal is not None:
            cause, why = refusal
            return Answered(self.answer(request, cause), why)
        # Until it is answered, a repetition is met with silence.
        self._remember(request, b"")
        return request

    def _refusal(self, request: DynamicRequest) -> tuple[ErrorCause, str] | None:
        """Return the Error-Cause of a request that is not taken, and what is wrong with it, for people."""
        values = request.values
        named = values.text("NAS-Identifier")
        if named not in ("", self._nas_identifier):
            why = f"it is for NAS-Identifier {named!r}; this gateway is {self._nas_identifier!r}"
            return ErrorCause.NAS_IDENTIFICATION_MISMATCH, why
        if values.integer("Service-Type") == AUTHORIZE_ONLY:
            return ErrorCause.UNSUPPORTED_SERVICE, "it asks for a new Access-Request (Authorize-Only), not for a change"
        if not request.match:
            return ErrorCause.MISSING_ATTRIBUTE, "no attribute in it says which session is meant"
        if values.integer("Event-Timestamp") is None and not request.match.session:
            return ErrorCause.MISSING_ATTRIBUTE, "it has neither Event-Timestamp nor Acct-Session-Id: perhaps a replay"
        return None

    def answer(self, request: DynamicRequest, cause: ErrorCause | None = None) -> bytes:
        """Return the octets of ACK, or of NAK with its cause."""
        acknowledged, refused = ANSWERS[Code(request.packet.code)]
        code = acknowledged if cause is None else refused
        said = [] if cause is None else [attribute("Error-Cause", cause)]
        # RFC 5176 section 3: Proxy-State goes back as it came
        states = [attribute("Proxy-State", state) for state in request.values.every("Proxy-State")]
        octets = write_reply(code, request.packet, [*said, *states], self._clients[request.source[0]])
        self._remember(request, octets)
        return octets

    def _remember(self, request: DynamicRequest, octets: bytes) -> None:
        self._seen[request.source[0], request.packet.identifier, request.packet.authenticator] = octets
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


def _match(values: Attributes) -> Match:
    return Match(
        values.text("Acct-Session-Id"),
        values.text("User-Name"),
        _text(values.address("Framed-IP-Address")),
        values.text("Calling-Station-Id"),
        _text(values.address("NAS-IP-Address")),
        values.text("Called-Station-Id"),
        values.text("Acct-Multi-Session-Id"),
        -1 if (port := values.integer("NAS-Port")) is None else port,
    )


def _text(address: IPv4Address | None) -> str:
    return "" if address is None else str(address)
