"""What one tunnel is to be: small frozen values, made from a file, a pppd peers file or the command line."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path

from holdfast.control.codes import CONTROL_PORT
from holdfast.dialer.reconnect import ReconnectPolicy
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppeMode, MppePolicy
from holdfast.probe.settings import Probe


class RouteMode(StrEnum):
    """What goes through the tunnel."""

    FULL = "full"
    SPLIT = "split"
    NONE = "none"


class FullMethod(StrEnum):
    """How everything is sent into the tunnel without touching the default route itself."""

    AUTO = "auto"
    HALVES = "halves"
    RULES = "rules"


class Ipv6Choice(StrEnum):
    """What happens to IPv6, which this tunnel does not carry, when everything goes through it."""

    BLOCK = "block"
    LEAVE = "leave"


class DnsMode(StrEnum):
    """Whom the tunnel's name servers are told to."""

    AUTO = "auto"
    RESOLVED = "resolved"
    FILE = "file"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """Routes. `networks` for the split mode; `ask_server` takes those of its DHCP answer too.

    `sources` (networks), `marks` and `user_ids` restrict the tunnel to the traffic that matches one of them, through
    a table of its own.
    """

    mode: RouteMode = RouteMode.SPLIT
    method: FullMethod = FullMethod.AUTO
    networks: tuple[IPv4Network, ...] = ()
    ask_server: bool = True
    sources: tuple[IPv4Network, ...] = ()
    marks: tuple[int, ...] = ()
    user_ids: tuple[int, ...] = ()
    table: int = 1723
    ipv6: Ipv6Choice = Ipv6Choice.BLOCK

    @property
    def selective(self) -> bool:
        """Whether only some of this host's traffic is meant."""
        return bool(self.sources or self.marks or self.user_ids)


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """Name servers. `domains` are asked of the tunnel's servers; without any, a full tunnel asks them for all."""

    mode: DnsMode = DnsMode.AUTO
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What is negotiated. Sizes in octets; `wish` is the address we would like, empty for any.

    `path_interval`: seconds between two measurements of what the path carries; 0: it is never measured.
    """

    authentication: tuple[Method, ...] = (Method.MS_CHAP_V2,)
    mppe: MppePolicy = MppePolicy.REQUIRE
    mppe_bits: tuple[int, ...] = (128,)
    mppe_modes: tuple[MppeMode, ...] = (MppeMode.STATELESS, MppeMode.STATEFUL)
    mtu: int = 1400
    mru: int = 1400
    wish: str = ""
    path_interval: float = 600.0


@dataclass(frozen=True, slots=True)
class KeepaliveSettings:
    """Times in seconds; 0 switches a thing off. `echo_*` is LCP, `control_*` RFC 2637 section 3.1.4.

    `heartbeat` is a host inside the tunnel that is asked every `heartbeat_interval`: pinged, or with a `heartbeat_port`
    by a UDP datagram. `adaptive`: nobody is asked while data arrives.
    """

    echo_interval: float = 10.0
    echo_failures: int = 3
    adaptive: bool = True
    control_interval: float = 60.0
    control_timeout: float = 60.0
    heartbeat: str = ""
    heartbeat_port: int = 0
    heartbeat_interval: float = 30.0
    heartbeat_failures: int = 3


@dataclass(frozen=True, slots=True)
class TunnelSettings:
    """One tunnel. `host` is a name or an IPv4 address; `interface` the TUN device; times in seconds."""

    host: str
    user: str
    name: str = "default"
    port: int = CONTROL_PORT
    interface: str = "pptp0"
    connect_timeout: float = 10.0
    setup_timeout: float = 45.0
    link: LinkSettings = LinkSettings()
    keepalive: KeepaliveSettings = KeepaliveSettings()
    reconnect: ReconnectPolicy = field(default_factory=ReconnectPolicy)
    routes: RouteSettings = RouteSettings()
    dns: DnsSettings = DnsSettings()
    kill_switch: bool = False
    kill_switch_networks: tuple[IPv4Network, ...] = ()
    hooks: tuple[Path, ...] = ()
    probes: tuple[Probe, ...] = ()
