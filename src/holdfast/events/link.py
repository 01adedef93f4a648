"""Facts about PPP."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.errors import DisconnectReason
from holdfast.events.base import Direction, Event, Severity


@dataclass(frozen=True, slots=True)
class PppPacketSeen(Event):
    """One control packet of a PPP protocol went by, with its options as text. Secrets are left out."""

    name: ClassVar[str] = "PPP_PACKET"
    severity: ClassVar[Severity] = Severity.DEBUG
    direction: Direction
    protocol: str
    code: str
    identifier: int
    detail: str


@dataclass(frozen=True, slots=True)
class PppViolation(Event):
    """The peer sent a PPP frame that its RFC does not allow, or data where none may pass."""

    name: ClassVar[str] = "PPP_VIOLATION"
    severity: ClassVar[Severity] = Severity.WARNING
    protocol: str
    detail: str


@dataclass(frozen=True, slots=True)
class LcpOpened(Event):
    """LCP reached Opened."""

    name: ClassVar[str] = "LCP_UP"
    local_mru: int
    peer_mru: int
    authentication: str
    local_magic_number: int
    peer_magic_number: int


@dataclass(frozen=True, slots=True)
class PeerIdentified(Event):
    """The peer sent an LCP Identification (RFC 1570 section 2.1)."""

    name: ClassVar[str] = "IDENTIFICATION"
    text: str


@dataclass(frozen=True, slots=True)
class AuthenticationSucceeded(Event):
    """One side proved who it is. `by_peer`: the peer proved itself to us. `eap_type`: the method inside EAP.

    `told`: what the person was told with it, such as the Reply-Message of RADIUS.
    """

    name: ClassVar[str] = "AUTH_SUCCESS"
    method: str
    user: str
    by_peer: bool = True
    eap_type: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class AuthenticationFailed(Event):
    """An authentication failed. `result_code` is the E= number for MS-CHAP, else 0."""

    name: ClassVar[str] = "AUTH_FAIL"
    severity: ClassVar[Severity] = Severity.WARNING
    method: str
    user: str
    result_code: int
    detail: str
    by_peer: bool = True


@dataclass(frozen=True, slots=True)
class ImpostorSuspected(Event):
    """The other side let us in but could not prove that it knows our password (RFC 2759 section 5)."""

    name: ClassVar[str] = "IMPOSTOR"
    severity: ClassVar[Severity] = Severity.ERROR
    method: str
    user: str
    detail: str


@dataclass(frozen=True, slots=True)
class MppeOpened(Event):
    """Encryption came up in both directions."""

    name: ClassVar[str] = "MPPE_UP"
    bits: int
    mode: str


@dataclass(frozen=True, slots=True)
class MppeRekeyed(Event):
    """A real re-key: CCP opened again, or a reset was asked for or answered. Never the per-packet key change."""

    name: ClassVar[str] = "MPPE_REKEY"
    severity: ClassVar[Severity] = Severity.NOTICE
    cause: str


@dataclass(frozen=True, slots=True)
class IpOpened(Event):
    """IPCP reached Opened and user traffic may pass."""

    name: ClassVar[str] = "IP_UP"
    local_address: str
    peer_address: str
    dns: tuple[str, ...] = ()
    wins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkTerminated(Event):
    """The PPP link ended. `evidence` is a sentence saying how the reason was known."""

    name: ClassVar[str] = "LINK_DOWN"
    reason: DisconnectReason
    evidence: str
    by_peer: bool
