"""The words of an exchange with RADIUS servers: who is asked, what, and what came of it."""

from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.radius.attributes import Attribute
from holdfast.radius.codes import Code
from holdfast.radius.hiding import reveal_key, reveal_ms_chap_keys
from holdfast.radius.packet import RadiusPacket
from holdfast.secret import Secret


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One server. The lowest `priority` goes first; among equals each gets its share by `weight` (above 0).

    `require_message_authenticator` is taken back only for old servers that cannot (see `packet`). `reliable`: its
    lanes are connections (TLS), on which nothing is repeated (RFC 6613 section 2.6.1).
    """

    name: str
    secret: Secret
    priority: int = 1
    weight: int = 1
    require_message_authenticator: bool = True
    reliable: bool = False


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """Seconds and counts. RFC 5080 section 2.2.1 asks for waits that grow and for jitter."""

    first_wait: float = 2.0
    longest_wait: float = 16.0
    tries: int = 3
    """Times a request is sent to one server."""
    patience: float = 20.0
    """How long a request may take in all."""
    dead_time: float = 60.0
    """How long a server that said nothing is asked last."""
    max_lanes: int = 16
    """Source ports or connections towards one server, 256 requests each."""

    @property
    def series(self) -> float:
        """How long one server is given to answer: the waits after each try."""
        return sum(min(self.first_wait * 2.0**number, self.longest_wait) for number in range(self.tries))


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `password` becomes User-Password, hidden for the server it goes to. `patience` 0: the usual.

    `only`: the name of the one server that can answer, because it holds the conversation (State); empty for any.
    `written`: more attributes, as octets already.
    """

    code: int
    attributes: tuple[Attribute, ...]
    password: Secret | None = None
    patience: float = 0.0
    only: str = ""
    signed: bool = True
    written: bytes = b""


@dataclass(frozen=True, slots=True)
class Datagram:
    """Octets for a server (its place in the list given), from the source port that belongs to the lane.

    `token`: the number of the request that they carry.
    """

    server: int
    lane: int
    octets: bytes
    token: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it went out: to which server, from which local port, in which octets.

    Sent again like that, a server that remembers recent requests knows it (RFC 2866 section 3: Identifier, source
    address and source port).
    """

    server: str
    port: int
    octets: bytes


class Fault(StrEnum):
    """Why there is no answer, in words that an operator can act on."""

    SILENT = "no server answered: to it this gateway is unknown or signs wrongly, or a firewall is between"
    UNREACHABLE = "no server is there: its host refuses the port"
    NO_WAY = "no way to the server: this host, or a router, says that nothing gets there"
    WRONG_SECRET = "the server signs with another shared secret"  # noqa: S105 - a sentence
    NOT_SIGNED = "the server's answers carry no Message-Authenticator, which is required"
    MALFORMED = "the server's answers are no RADIUS packets"
    BUSY = "too many requests wait for an answer already"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and of which servers in vain. `alive`: one of these said something meanwhile, but not to this."""

    code: int = 0
    in_vain: tuple[str, ...] = ()
    alive: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: a reply of `server`, or the fault of the last one asked."""

    token: int
    server: str
    packet: RadiusPacket | None = None
    secret: Secret = field(default_factory=lambda: Secret(b""))
    authenticator: bytes = b""
    fault: Fault | None = None
    asked: Asked = field(default_factory=Asked)

    @property
    def accepted(self) -> bool:
        """Whether the answer is a yes."""
        return self.packet is not None and self.packet.code in (Code.ACCESS_ACCEPT, Code.ACCOUNTING_RESPONSE)

    def mppe_key(self, name: str) -> Secret | None:
        """Return the key in MS-MPPE-Send-Key or MS-MPPE-Recv-Key; None when it is not there.

        MalformedError when it cannot be read.
        """
        data = None if self.packet is None else self.packet.values.octets(name)
        return None if data is None else reveal_key(data, self.secret, self.authenticator)

    def ms_chap_keys(self) -> tuple[Secret, Secret] | None:
        """Return LM-Key and NT-Key of MS-CHAP-MPPE-Keys. MalformedError when they cannot be read."""
        data = None if self.packet is None else self.packet.values.octets("MS-CHAP-MPPE-Keys")
        return None if data is None else reveal_ms_chap_keys(data, self.secret, self.authenticator)
