"""What a link is told by policy: small frozen values, no file format."""

from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.ppp.authentication_types import AuthenticatorConfig, Method, PeerCredentials

DEFAULT_MRU = 1500
"""What holds when nobody asks for another Maximum-Receive-Unit (RFC 1661 section 6.1)."""

MPPE_OVERHEAD = 4
"""Octets that MPPE takes from the MRU: coherency count and inner protocol field (RFC 3078 section 3)."""


@dataclass(frozen=True, slots=True)
class RestartConfig:
    """Timers and counters of RFC 1661 section 4.6, with its defaults; times in seconds.

    `linger`: how long a link that the peer terminated waits before it is gone (the pause after `zrc`), so that a
    repeated Terminate-Request is still answered. The RFC gives no number for it.
    """

    restart_timer: float = 3.0
    max_configure: int = 10
    max_terminate: int = 2
    max_failure: int = 5
    linger: float = 1.0


@dataclass(frozen=True, slots=True)
class LcpConfig:
    """What we ask of LCP. `mtu` caps what we send whatever the peer's MRU; an option that is off is not asked.

    `accm` None asks for no Async-Control-Character-Map: GRE is no serial line. `identification`: text for an
    Identification packet (RFC 1570 section 1.1) when LCP opens; empty sends none.
    """

    mru: int = 1400
    mtu: int = 1400
    accm: int | None = None
    magic_number: bool = True
    protocol_field_compression: bool = True
    address_and_control_field_compression: bool = True
    identification: str = ""


class MppePolicy(StrEnum):
    """How much encryption matters. `REQUIRE`: no link without. `PREFER`: when the peer can. `OFF`: never."""

    REQUIRE = "require"
    PREFER = "prefer"
    OFF = "off"


class MppeMode(StrEnum):
    """RFC 3078 section 7: the key changes with every packet, or every 256."""

    STATELESS = "stateless"
    STATEFUL = "stateful"


@dataclass(frozen=True, slots=True)
class CcpConfig:
    """Encryption. `bits`: strengths allowed (40, 56, 128). `modes`: allowed, the one to ask for first.

    `patience`: with PREFER, how long IPCP waits for a peer that says nothing about CCP. `reset_interval`: the
    least time between two Reset-Requests, and until one is repeated: about a round trip. Seconds.
    """

    policy: MppePolicy = MppePolicy.REQUIRE
    bits: tuple[int, ...] = (128,)
    modes: tuple[MppeMode, ...] = (MppeMode.STATELESS,)
    patience: float = 6.0
    reset_interval: float = 0.2


@dataclass(frozen=True, slots=True)
class IpcpConfig:
    """Who gives addresses. `assigns`: we do, as a gateway; otherwise we ask for ours, and for DNS, as a dialer.

    `wish`: the address the dialer would like, empty for any. `ask_dns`, `ask_wins`: whether it asks for servers.
    """

    assigns: bool = True
    wish: str = ""
    ask_dns: bool = True
    ask_wins: bool = False


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Everything one link needs to know.

    `demand`: the methods by which the peer must prove itself, the first offered first; empty demands nothing.
    `accept`: the methods by which we prove ourselves when the peer demands it, the first preferred; they need
    `credentials`. `trace` makes a `PppPacketSeen` of every control packet.
    """

    restart: RestartConfig = RestartConfig()
    lcp: LcpConfig = LcpConfig()
    ccp: CcpConfig = CcpConfig()
    ipcp: IpcpConfig = IpcpConfig()
    demand: tuple[Method, ...] = ()
    authenticator: AuthenticatorConfig = field(default_factory=AuthenticatorConfig)
    accept: tuple[Method, ...] = ()
    credentials: PeerCredentials | None = None
    trace: bool = False
