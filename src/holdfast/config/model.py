"""The configuration: what may be written, its units and its defaults.

The defaults are the safest that work: only MS-CHAPv2, MPPE with 128 bits required, a new key for each packet.
Rules that concern one key stand here; rules between keys stand in `contradictions`.
"""

from enum import StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from holdfast.config.paths import WholePath
from holdfast.config.radius_section import RadiusSection
from holdfast.config.session_sections import (
    AdmissionSection,
    FilterSection,
    GroupSection,
    LimitsSection,
    PoolSection,
    TimeoutsSection,
)
from holdfast.config.values import (
    AccountName,
    Endpoint,
    HostAddress,
    ListenEndpoint,
    LogSink,
    MetricsListen,
    PoolRange,
)
from holdfast.events import Severity
from holdfast.policy.overrides import Count, SecondsOrOff
from holdfast.policy.ranges import AddressRange

Seconds = Annotated[float, Field(strict=True, gt=0, le=86400, allow_inf_nan=False)]
"""A time in seconds, more than none and at most a day."""

Flag = Annotated[bool, Field(strict=True)]

SMALLEST_MTU = 576
LARGEST_MTU = 1500

PacketSize = Annotated[int, Field(strict=True, ge=SMALLEST_MTU, le=LARGEST_MTU)]
"""Octets of the largest inner IP packet: every IPv4 host must take 576 (RFC 791), Ethernet carries 1500."""


class MppePolicy(StrEnum):
    """What the gateway asks for in encryption."""

    REQUIRE = "require"
    PREFER = "prefer"
    OFF = "off"


class MppeModes(StrEnum):
    """RFC 3078 section 3: a new key for each packet (stateless), or at every 256th (stateful)."""

    STATELESS = "stateless"
    STATEFUL = "stateful"
    BOTH = "both"


AuthenticationMethod = Literal["eap", "ms-chap-v2", "ms-chap", "chap-md5", "pap"]
MppeBits = Literal[40, 56, 128]


def _printable(text: str) -> str:
    """RFC 2637 sections 2.1 and 2.2: Host Name and Vendor Name are 64 octets each, zero-padded."""
    if not text.isascii() or not text.isprintable():
        raise ValueError("only printable ASCII characters go into a control message")
    return text


ControlName = Annotated[str, Field(max_length=63), AfterValidator(_printable)]
InterfaceName = Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[A-Za-z0-9_.-]+$")]


Days = Annotated[int, Field(strict=True, ge=0, le=36500)]
"""Days that something is kept; 0 for ever."""


class Section(BaseModel):
    """What the sections share: they are frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class GatewaySection(Section):
    """`[gateway]`: control connections."""

    listen: Annotated[tuple[ListenEndpoint, ...], Field(min_length=1)] = (Endpoint(IPv4Address(0)),)
    """Where control connections are accepted, as address or address:port."""
    max_connections: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 20_000
    """Most control connections at a time, those that have said nothing yet included."""
    setup_timeout: Seconds = 10.0
    """Seconds in which a new connection must have sent its Start-Control-Connection-Request."""
    echo_interval: Seconds = 60.0
    """Seconds of silence after which an Echo-Request is sent (RFC 2637 section 3.1.4)."""
    echo_timeout: Seconds = 60.0
    """Seconds in which the Echo-Reply must come (RFC 2637 section 3.1.4)."""
    idle_timeout: SecondsOrOff = 900.0
    """Seconds that a control connection may last without a call, before the first or after the last; 0 for ever."""
    tun_name: InterfaceName = "holdfast0"
    """Name of the network interface that all sessions share."""
    workers: Annotated[int, Field(strict=True, ge=1, le=16)] | None = None
    """Threads for each direction, sharing the sessions; without the key, one for every two processors, at most 4."""
    host_name: ControlName = "holdfast"
    """Host name told to peers; also the name that CHAP challenges carry."""
    vendor: ControlName = "Holdfast"
    """Vendor name told to peers."""


class AddressesSection(Section):
    """`[addresses]`: what clients get, and how they reach the world."""

    gateway: HostAddress = IPv4Address("10.77.0.1")
    """The gateway's own address inside the tunnels."""
    pool: Annotated[tuple[PoolRange, ...], Field(min_length=1)] = (
        AddressRange(IPv4Address("10.77.0.10"), IPv4Address("10.77.0.250")),
    )
    """Addresses for clients: first-last, network/prefix (its host addresses) or single ones."""
    dns: Annotated[tuple[HostAddress, ...], Field(max_length=2)] | None = None
    """At most two DNS servers for clients (RFC 1877); without the key, those that this machine itself uses."""
    wins: Annotated[tuple[HostAddress, ...], Field(max_length=2)] = ()
    """At most two NetBIOS name servers for clients (RFC 1877)."""
    nat: Flag = True
    """Whether clients reach other networks under this machine's own address."""
    nat_interface: InterfaceName | None = None
    """Apply `nat` only to what leaves by this interface; without it, by any."""
    client_wish: Flag = False
    """Whether a client may choose a free address of the pool for itself."""


class PppSection(Section):
    """`[ppp]`: what is negotiated inside a call."""

    authentication: Annotated[tuple[AuthenticationMethod, ...], Field(min_length=1)] = ("ms-chap-v2",)
    """Methods offered to clients, best first. "eap" passes everything on to RADIUS (EAP-TLS, PEAP, EAP-MSCHAPv2)."""
    mppe: MppePolicy = MppePolicy.REQUIRE
    """Encryption: "require", "prefer" or "off"."""
    mppe_bits: Annotated[tuple[MppeBits, ...], Field(min_length=1)] = (128,)
    """Key lengths that are accepted, best first."""
    mppe_mode: MppeModes = MppeModes.STATELESS
    """"stateless" (a new key for each packet, survives loss), "stateful" or "both"."""
    mtu: PacketSize = 1400
    """Octets of the largest packet sent to a client."""
    mru: PacketSize = 1400
    """Octets of the largest packet taken from a client."""
    restart_timer: Seconds = 3.0
    """Seconds before a request is sent again (RFC 1661 section 4.6)."""
    max_configure: Count = 10
    """Configure-Requests without an answer before giving up."""
    max_terminate: Count = 2
    """Terminate-Requests without an answer before giving up."""
    max_failure: Count = 5
    """Configure-Naks before what the peer wants is rejected."""
    lcp_echo_interval: SecondsOrOff = 10.0
    """Seconds between LCP Echo-Requests; 0 sends none."""
    lcp_echo_failures: Count = 3
    """Unanswered LCP Echo-Requests in a row that end a session."""
    authentication_timeout: Seconds = 30.0
    """Seconds in which a client must have proved who it is."""


class UsersSection(Section):
    """`[users]`: where users come from, besides the database in the state directory."""

    chap_secrets: WholePath | None = None
    """A pppd chap-secrets file, read as it is and again whenever it changes."""
    chap_secrets_server: Annotated[str, Field(min_length=1, max_length=255)] = "pptpd"
    """Lines of that file count when their server is this name or `*` (Debian's pptpd uses "pptpd")."""


class ControlSection(Section):
    """`[control]`: who may ask the running gateway, besides root and the user it runs as."""

    viewers: tuple[AccountName, ...] = ()
    """Users and @groups of this machine that may look: `holdfast sessions`, `status`, `why`, `events`."""
    operators: tuple[AccountName, ...] = ()
    """Users and @groups that may act, too: `disconnect`, `record`, `drain`, `reload`, `unlock`, `events trace`."""


class LogSection(Section):
    """`[log]`: what is written where."""

    file: WholePath | None = None
    """The event log, whose directory is made where it is missing; by default `events.jsonl` in the state directory."""
    level: Severity = Severity.INFO
    """The least severity that is written: debug, info, notice, warning or error."""
    sinks: tuple[LogSink, ...] = ()
    """Where each line goes besides the file, such as "journald" or "syslog+tls://log.example.net"."""
    segment_megabytes: Annotated[int, Field(strict=True, ge=1, le=4096)] = 64
    """Megabytes after which the file is closed and a new one begun; at midnight it is in any case."""
    compress: Flag = True
    """Whether closed files are compressed (gzip)."""
    encryption_key: WholePath | None = None
    """A file of 32 octets; with it, closed files are encrypted (AES-256-GCM)."""
    sign_interval: Annotated[float, Field(strict=True, ge=1, le=86400, allow_inf_nan=False)] = 60.0
    """Seconds between two signatures on what was written."""
    keep_sessions: Days = 180
    """Days to keep who was connected, when and how; 0 keeps it for ever."""
    keep_security: Days = 365
    """Days to keep who was refused and what was suspicious; 0 keeps it for ever."""
    keep_admin: Days = 365
    """Days to keep what was done to the gateway, and how it was; 0 keeps it for ever."""
    keep_packets: Days = 7
    """Days to keep control messages and PPP packets (level debug); 0 keeps them for ever."""
    pseudonyms: Flag = False
    """Whether names and addresses of users are replaced by pseudonyms."""


class MetricsSection(Section):
    """`[metrics]`: numbers for Prometheus."""

    listen: MetricsListen | None = None
    """Where Prometheus may read, as address or address:port; without the key, nowhere."""
    token_file: WholePath | None = None
    """A file whose first line a reader must show as bearer token."""
    per_user: Flag = False
    """Whether each user gets series of its own."""
    per_call: Flag = False
    """Whether each session gets series of its own, by the Call ID that the gateway chose."""


class RecorderSection(Section):
    """`[recorder]`: the last control messages and PPP frames of each session, kept in case it fails."""

    enabled: Flag = True
    """Whether a session that fails leaves a capture behind."""
    directory: WholePath | None = None
    """Where captures go; without the key, `captures` in the state directory."""
    session_octets: Annotated[int, Field(strict=True, ge=1024, le=1_048_576)] = 16_384
    """Octets of memory for the last PPP frames of one session."""
    control_octets: Annotated[int, Field(strict=True, ge=1024, le=1_048_576)] = 8192
    """Octets of memory for the last messages of one control connection."""
    keep_files: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 200
    """Most captures kept; the oldest go first."""
    keep_octets: Annotated[int, Field(strict=True, ge=65_536, le=1_000_000_000_000)] = 50_000_000
    """Most octets of captures kept; the oldest go first."""
    per_minute: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 60
    """Most captures written in a minute."""


GroupName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]


class Config(Section):
    """The whole file."""

    gateway: GatewaySection = GatewaySection()
    addresses: AddressesSection = AddressesSection()
    ppp: PppSection = PppSection()
    users: UsersSection = UsersSection()
    control: ControlSection = ControlSection()
    log: LogSection = LogSection()
    timeouts: TimeoutsSection = TimeoutsSection()
    limits: LimitsSection = LimitsSection()
    admission: AdmissionSection = AdmissionSection()
    groups: dict[GroupName, GroupSection] = {}
    """Settings for groups of users, each in a section `[groups.NAME]`."""
    pools: dict[GroupName, PoolSection] = {}
    """Addresses for some clients, each in a section `[pools.NAME]`."""
    filters: dict[GroupName, FilterSection] = {}
    """What some clients may reach, each in a section `[filters.NAME]`."""
    metrics: MetricsSection = MetricsSection()
    recorder: RecorderSection = RecorderSection()
    radius: RadiusSection = RadiusSection()
