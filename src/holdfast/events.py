"""Every fact that can be logged, as frozen dataclasses in the past tense.

The single source for log, metrics, accounting, alerts and console: a fact that is not an event is not known
anywhere. A machine emits events without knowing its session; whoever drives the machine adds the envelope
(time, session, connection, addresses). Field values are plain: str, int, float, bool, None and tuples of them.
Nothing here can hold a secret.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from holdfast.errors import WANTED_ENDS, ControlEnd, DisconnectReason


class Severity(StrEnum):
    """How much attention a fact deserves."""

    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


class Direction(StrEnum):
    """As seen from this machine."""

    RECEIVED = "received"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Event:
    """A fact. `name` is the word in the log, `severity` its level, where it has more than one, the usual one."""

    name: ClassVar[str] = "EVENT"
    severity: ClassVar[Severity] = Severity.INFO

    @classmethod
    def severities(cls) -> tuple[Severity, ...]:
        """Return every level that a fact of this kind can have, the usual one first."""
        return (cls.severity,)

    def level(self) -> Severity:
        """Return the level of this very fact."""
        return self.severity

    def fields(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


# --- control connection (RFC 2637) -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """A TCP connection for control messages was accepted or made.

    `handshake_seconds`: round trip of its handshake, 0 when the kernel measured none, as where it was repeated.
    `retransmits`: how often our half of the handshake was repeated.
    """

    name: ClassVar[str] = "CONNECT"
    client: str
    server: str
    interface: str = ""
    handshake_seconds: float = 0.0
    retransmits: int = 0


@dataclass(frozen=True, slots=True)
class ControlMessageSeen(Event):
    """One control message went by: its name (as in RFC 2637) and its fields."""

    name: ClassVar[str] = "CONTROL_MESSAGE"
    severity: ClassVar[Severity] = Severity.DEBUG
    direction: Direction
    message: str
    fields_text: str


@dataclass(frozen=True, slots=True)
class ControlEstablished(Event):
    """The Start-Control-Connection exchange succeeded; this is what the peer said of itself."""

    name: ClassVar[str] = "CONTROL_UP"
    host_name: str
    vendor: str
    firmware_revision: int
    protocol_version: int


@dataclass(frozen=True, slots=True)
class ControlViolation(Event):
    """The peer sent something that RFC 2637 does not allow."""

    name: ClassVar[str] = "CONTROL_VIOLATION"
    severity: ClassVar[Severity] = Severity.WARNING
    detail: str


@dataclass(frozen=True, slots=True)
class ControlClosed(Event):
    """The control connection ended; `control_end` says how, in a word."""

    name: ClassVar[str] = "CONTROL_CLOSED"
    reason: DisconnectReason
    detail: str
    control_end: ControlEnd = ControlEnd.LOCAL


@dataclass(frozen=True, slots=True)
class CallEstablished(Event):
    """A call was agreed; from here on GRE flows."""

    name: ClassVar[str] = "CALL_UP"
    local_call_id: int
    peer_call_id: int
    serial_number: int
    connect_speed: int
    receive_window: int


@dataclass(frozen=True, slots=True)
class CallRefused(Event):
    """A call was asked for and not granted, by us or by the peer."""

    name: ClassVar[str] = "CALL_REFUSED"
    severity: ClassVar[Severity] = Severity.WARNING
    local_call_id: int
    peer_call_id: int
    result_code: int
    error_code: int
    detail: str


@dataclass(frozen=True, slots=True)
class CallCleared(Event):
    """A call ended on the control connection."""

    name: ClassVar[str] = "CALL_CLEARED"
    local_call_id: int
    by_peer: bool
    result_code: int
    error_code: int
    detail: str


@dataclass(frozen=True, slots=True)
class LinkErrorsReported(Event):
    """A WAN-Error-Notify arrived: cumulative counts since the call began (RFC 2637 section 2.14)."""

    name: ClassVar[str] = "WAN_ERRORS"
    severity: ClassVar[Severity] = Severity.NOTICE
    local_call_id: int
    crc_errors: int
    framing_errors: int
    hardware_overruns: int
    buffer_overruns: int
    time_out_errors: int
    alignment_errors: int


@dataclass(frozen=True, slots=True)
class LinkInfoSet(Event):
    """A Set-Link-Info arrived (RFC 2637 section 2.15).

    Windows sends 0 and ffffffff as LCP opens, twice ffffffff as it closes.
    """

    name: ClassVar[str] = "LINK_INFO"
    severity: ClassVar[Severity] = Severity.DEBUG
    local_call_id: int
    send_accm: int
    receive_accm: int


# --- PPP ---------------------------------------------------------------------------------------------------


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


# --- data plane --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EchoLost(Event):
    """LCP Echo-Requests went unanswered. `missed` in a row so far."""

    name: ClassVar[str] = "ECHO_LOST"
    severity: ClassVar[Severity] = Severity.NOTICE
    missed: int


@dataclass(frozen=True, slots=True)
class Recovered(Event):
    """A link that missed echoes or a GRE direction is well again."""

    name: ClassVar[str] = "RECOVERED"
    detail: str


@dataclass(frozen=True, slots=True)
class CallIdCollision(Event):
    """GRE for one of our call IDs came from an address that does not own the call."""

    name: ClassVar[str] = "CALL_ID_COLLISION"
    severity: ClassVar[Severity] = Severity.ERROR
    call_id: int
    owner: str
    intruder: str


@dataclass(frozen=True, slots=True)
class UnknownCallSeen(Event):
    """GRE came for a call that we do not have: late packets of an ended call, a reused address, or a flood."""

    name: ClassVar[str] = "UNKNOWN_CALL"
    severity: ClassVar[Severity] = Severity.NOTICE
    call_id: int
    gre_source: str


@dataclass(frozen=True, slots=True)
class SendFailed(Event):
    """The host refused to send for this call. `error_number` is the errno."""

    name: ClassVar[str] = "SEND_FAILED"
    severity: ClassVar[Severity] = Severity.WARNING
    error_number: int


@dataclass(frozen=True, slots=True)
class Fragmented(Event):
    """Tunnel packets of a session travel in pieces, which costs throughput and is lost by many firewalls.

    `packets`: how many since the last such event. `received`: somebody on the client's side cuts them; `mtu` is the
    size of the first piece. `sent`: they are cut here or, when `router` is not empty, that router says that they are
    too big for a network of which `mtu` is the MTU (0 when it did not say).
    """

    name: ClassVar[str] = "FRAGMENTED"
    severity: ClassVar[Severity] = Severity.WARNING
    direction: Direction
    packets: int
    detail: str
    mtu: int = 0
    router: str = ""


@dataclass(frozen=True, slots=True)
class PacketsReplayed(Event):
    """Much of what came for a session had come before: the network repeats it, or somebody plays it back.

    `packets`: how many since the last such event. None of them was let through twice.
    """

    name: ClassVar[str] = "REPLAYED"
    severity: ClassVar[Severity] = Severity.ERROR
    packets: int
    detail: str


# --- sessions and the gateway ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionStarted(Event):
    """A session was made for a call."""

    name: ClassVar[str] = "SESSION_START"


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """A session ended, for exactly one reason, with the evidence in a sentence and the final counts.

    `capture` is where the flight recorder wrote its last packets, empty when it ended as somebody wanted. `ttl` is that
    of the client's last GRE packet as it arrived here, 0 when none came. `control_end` is how the control connection
    had ended, `open` when it had not.
    """

    name: ClassVar[str] = "TEARDOWN"
    reason: DisconnectReason
    evidence: str
    user: str
    bytes_in: int
    bytes_out: int
    packets_in: int
    packets_out: int
    duration: float
    capture: str = ""
    ttl: int = 0
    control_end: ControlEnd = ControlEnd.OPEN

    @classmethod
    def severities(cls) -> tuple[Severity, ...]:
        """As somebody wanted it; as nobody did; against the protocol or by a fault of ours."""
        return (Severity.INFO, Severity.WARNING, Severity.ERROR)

    def level(self) -> Severity:
        """Return what the reason deserves."""
        if self.reason in (DisconnectReason.PROTOCOL_FAILURE, DisconnectReason.INTERNAL_ERROR):
            return Severity.ERROR
        return Severity.INFO if self.reason in WANTED_ENDS else Severity.WARNING


@dataclass(frozen=True, slots=True)
class HalfDead(Event):
    """One part of a session is silent while another is alive. `direction` says which is silent.

    `received`: GRE from the client, with the control connection open. `sent`: GRE to the client, which we hear but
    which acknowledges nothing. `control`: the control connection, while GRE comes.
    """

    name: ClassVar[str] = "HALF_DEAD"
    severity: ClassVar[Severity] = Severity.WARNING
    direction: str
    detail: str


@dataclass(frozen=True, slots=True)
class LimitReached(Event):
    """A client was kept out by a limit or a rule. `times`: how often since the last such event, this one included."""

    name: ClassVar[str] = "LIMIT"
    severity: ClassVar[Severity] = Severity.WARNING
    limit: str
    subject: str
    detail: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class SettingUnusable(Event):
    """A setting of a session cannot hold as it was given, and was left out."""

    name: ClassVar[str] = "SETTING_UNUSABLE"
    severity: ClassVar[Severity] = Severity.WARNING
    setting: str
    value: str
    origin: str
    detail: str


@dataclass(frozen=True, slots=True)
class LoginsLocked(Event):
    """Too many logins failed: `account` is locked out at `source`, or the whole source where `account` is empty."""

    name: ClassVar[str] = "LOCKED"
    severity: ClassVar[Severity] = Severity.WARNING
    account: str
    source: str
    failures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LoginsSprayed(Event):
    """One source tries many accounts: so many different ones failed there. Told once in a quarter of an hour.

    `accounts`: how many different ones since the last such event (64 stands for 64 or more).
    """

    name: ClassVar[str] = "SPRAYING"
    severity: ClassVar[Severity] = Severity.ERROR
    source: str
    accounts: int
    failures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class AccountBesieged(Event):
    """One account is tried from many sources: it failed at so many. Told once in a quarter of an hour.

    `sources`: how many different ones since the last such event (64 stands for 64 or more).
    """

    name: ClassVar[str] = "BESIEGED"
    severity: ClassVar[Severity] = Severity.ERROR
    account: str
    sources: int
    failures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SessionReplaced(Event):
    """A user who signed in again took over from an older session."""

    name: ClassVar[str] = "REPLACED"
    severity: ClassVar[Severity] = Severity.NOTICE
    user: str
    old_session: str
    new_session: str
    detail: str


@dataclass(frozen=True, slots=True)
class TimeWarned(Event):
    """The client was told how long its session may still last (LCP Time-Remaining, RFC 1570 section 1.2)."""

    name: ClassVar[str] = "TIME_REMAINING"
    seconds: int
    detail: str


@dataclass(frozen=True, slots=True)
class ConfigChanged(Event):
    """The configuration was read again. Each change is `key: old -> new`, under when it takes effect."""

    name: ClassVar[str] = "CONFIG_CHANGED"
    severity: ClassVar[Severity] = Severity.NOTICE
    now: tuple[str, ...]
    new_sessions: tuple[str, ...]
    restart: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigRefused(Event):
    """The configuration was to be read again and cannot be used; the one before stays."""

    name: ClassVar[str] = "CONFIG_REFUSED"
    severity: ClassVar[Severity] = Severity.ERROR
    detail: str


@dataclass(frozen=True, slots=True)
class GatewayDraining(Event):
    """The gateway takes no new calls any more and ends with the last session. `deadline`: seconds, 0 for none."""

    name: ClassVar[str] = "DRAIN"
    severity: ClassVar[Severity] = Severity.NOTICE
    sessions: int
    deadline: float


@dataclass(frozen=True, slots=True)
class CaptureFailed(Event):
    """The flight recorder could not write a capture."""

    name: ClassVar[str] = "CAPTURE_FAILED"
    severity: ClassVar[Severity] = Severity.WARNING
    detail: str


@dataclass(frozen=True, slots=True)
class AddressExhausted(Event):
    """No free address was left for a client."""

    name: ClassVar[str] = "NO_ADDRESS"
    severity: ClassVar[Severity] = Severity.ERROR
    user: str
    detail: str


@dataclass(frozen=True, slots=True)
class GatewayStarted(Event):
    """The gateway listens."""

    name: ClassVar[str] = "GATEWAY_UP"
    listen: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class GatewayStopped(Event):
    """The gateway said goodbye to everyone and released what it held."""

    name: ClassVar[str] = "GATEWAY_DOWN"
    detail: str


@dataclass(frozen=True, slots=True)
class AdminActed(Event):
    """An administrator did something by the control API or to a user, or was refused. `by`: this machine's account.

    `at`: when a user was changed, which may have been before this start.
    """

    name: ClassVar[str] = "ADMIN"
    severity: ClassVar[Severity] = Severity.NOTICE
    action: str
    target: str
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class InternalFault(Event):
    """Something of our own went wrong; the session or connection concerned was ended, the rest carried on.

    Where no packet passes any more (`where` "engine"), the whole gateway or dialer ends, to be started again.
    """

    name: ClassVar[str] = "INTERNAL_FAULT"
    severity: ClassVar[Severity] = Severity.ERROR
    where: str
    detail: str


# --- RADIUS ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RadiusServerDown(Event):
    """A RADIUS server lets requests run out without an answer; it is asked last for a while."""

    name: ClassVar[str] = "RADIUS_DOWN"
    severity: ClassVar[Severity] = Severity.ERROR
    server: str
    detail: str


@dataclass(frozen=True, slots=True)
class RadiusServerUp(Event):
    """A RADIUS server that was down answers again."""

    name: ClassVar[str] = "RADIUS_UP"
    severity: ClassVar[Severity] = Severity.NOTICE
    server: str


@dataclass(frozen=True, slots=True)
class RadiusAnswerRefused(Event):
    """Something claims to be a RADIUS server's answer and cannot be trusted. Told once a minute and server."""

    name: ClassVar[str] = "RADIUS_REFUSED"
    severity: ClassVar[Severity] = Severity.ERROR
    server: str
    detail: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class RadiusPacketSeen(Event):
    """A RADIUS request about a client went out, or its answer came; attributes as text, secrets left out."""

    name: ClassVar[str] = "RADIUS_PACKET"
    severity: ClassVar[Severity] = Severity.DEBUG
    direction: Direction
    server: str
    code: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RadiusFailed(Event):
    """A client could not be judged by RADIUS, or its answer lacks what is needed. `fallback` says what was done."""

    name: ClassVar[str] = "RADIUS_FAILED"
    severity: ClassVar[Severity] = Severity.ERROR
    server: str
    user: str
    detail: str
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class RadiusIgnored(Event):
    """A RADIUS server let a client in, and attributes that it sent are understood and cannot hold. Once a login."""

    name: ClassVar[str] = "RADIUS_IGNORED"
    severity: ClassVar[Severity] = Severity.NOTICE
    server: str
    user: str
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionRenewed(Event):
    """The time of a session was over, its client proved itself again, and RADIUS let it go on.

    `seconds` from now on; 0 for any time.
    """

    name: ClassVar[str] = "RENEWED"
    severity: ClassVar[Severity] = Severity.NOTICE
    server: str
    user: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AccountingQueued(Event):
    """Accounting records wait because no server takes them, or (`waiting` 0) all of them were delivered."""

    name: ClassVar[str] = "ACCOUNTING_QUEUE"
    severity: ClassVar[Severity] = Severity.NOTICE
    waiting: int
    detail: str


@dataclass(frozen=True, slots=True)
class DynamicRequestSeen(Event):
    """A Disconnect-Request or CoA-Request came (RFC 5176) and was answered, or dropped (`answer` empty)."""

    name: ClassVar[str] = "RADIUS_REQUEST"
    severity: ClassVar[Severity] = Severity.NOTICE
    source: str
    request: str
    answer: str
    detail: str
    times: int = 1


# --- the dialer --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DialScheduled(Event):
    """The tunnel is down and will be dialled again. `delay` in seconds, `number` counts the tries in a row."""

    name: ClassVar[str] = "DIAL_WAIT"
    severity: ClassVar[Severity] = Severity.NOTICE
    number: int
    delay: float
    reason: DisconnectReason
    evidence: str


@dataclass(frozen=True, slots=True)
class DialStopped(Event):
    """The dialer does not try again."""

    name: ClassVar[str] = "DIAL_STOP"
    severity: ClassVar[Severity] = Severity.NOTICE
    exit_code: int
    message: str


@dataclass(frozen=True, slots=True)
class DialPhaseReached(Event):
    """One step of a try is done; `milliseconds` since the step before."""

    name: ClassVar[str] = "DIAL_PHASE"
    phase: str
    milliseconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CarrierChanged(Event):
    """The network under the tunnel changed in a way that touches the path to the server."""

    name: ClassVar[str] = "CARRIER_CHANGE"
    severity: ClassVar[Severity] = Severity.NOTICE
    detail: str


@dataclass(frozen=True, slots=True)
class PathMeasured(Event):
    """How big packets may be on the path to the server was measured; the tunnel's MTU is `mtu` from now on."""

    name: ClassVar[str] = "PATH_MTU"
    mtu: int
    path: int
    both_ways: bool
    detail: str


@dataclass(frozen=True, slots=True)
class HostChanged(Event):
    """Addresses, routes, name servers or firewall of this host were changed for tunnels, or put back."""

    name: ClassVar[str] = "HOST_CHANGE"
    detail: str
    undone: bool = False


@dataclass(frozen=True, slots=True)
class DialNoticed(Event):
    """Something about a tunnel that a person should know: why its routes are as they are, a hook that failed."""

    name: ClassVar[str] = "DIAL_NOTE"
    severity: ClassVar[Severity] = Severity.NOTICE
    detail: str


# --- probes through a tunnel -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProbeFailed(Event):
    """A probe through a tunnel failed so often in a row that it counts; `stage` is the step at which it did."""

    name: ClassVar[str] = "PROBE_FAILED"
    severity: ClassVar[Severity] = Severity.WARNING
    probe: str
    kind: str
    target: str
    stage: str
    result: str
    evidence: str
    failures: int


@dataclass(frozen=True, slots=True)
class ProbeRecovered(Event):
    """A probe that had failed is well again, after `duration` seconds."""

    name: ClassVar[str] = "PROBE_RECOVERED"
    severity: ClassVar[Severity] = Severity.NOTICE
    probe: str
    kind: str
    target: str
    duration: float
    detail: str


# --- watching an interface ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchStarted(Event):
    """An interface is watched from now on; captures of failed sessions go to a directory (empty: none are kept)."""

    name: ClassVar[str] = "WATCH_START"
    listen: str
    directory: str


@dataclass(frozen=True, slots=True)
class WatchStopped(Event):
    """Watching an interface ended."""

    name: ClassVar[str] = "WATCH_STOP"
    seconds: float
    packets: int
    sessions: int
    failures: int
    lost: int


@dataclass(frozen=True, slots=True)
class WatchedUp(Event):
    """A session that is watched got its address, or carries data. `seconds` after its beginning."""

    name: ClassVar[str] = "WATCH_UP"
    method: str
    bits: int
    peer_address: str
    seconds: float


@dataclass(frozen=True, slots=True)
class WatchedEnded(Event):
    """A session that is watched ended, and was well. `finding` says how it ended, where that can be seen."""

    name: ClassVar[str] = "WATCH_END"
    finding: str
    why: str
    phase: str
    duration: float
    packets_in: int
    packets_out: int


@dataclass(frozen=True, slots=True)
class WatchedSick(Event):
    """A session that is watched is not well while it goes on. Told once for each finding."""

    name: ClassVar[str] = "WATCH_FINDING"
    severity: ClassVar[Severity] = Severity.WARNING
    finding: str
    certainty: float
    direction: str
    title: str
    why: str
    phase: str
    duration: float
    windows_codes: tuple[int, ...]
    fixes: tuple[str, ...]
    others: tuple[str, ...]
    capture: str


@dataclass(frozen=True, slots=True)
class WatchedFailed(Event):
    """A session that is watched ended, and was not well, or never came up."""

    name: ClassVar[str] = "WATCH_FAILED"
    severity: ClassVar[Severity] = Severity.WARNING
    finding: str
    certainty: float
    direction: str
    title: str
    why: str
    phase: str
    duration: float
    windows_codes: tuple[int, ...]
    fixes: tuple[str, ...]
    others: tuple[str, ...]
    capture: str


@dataclass(frozen=True, slots=True)
class WatchedAgain(Event):
    """The same happened to one client again and again: `times` within `seconds`."""

    name: ClassVar[str] = "WATCH_RECURRING"
    severity: ClassVar[Severity] = Severity.WARNING
    subject: str
    finding: str
    times: int
    seconds: float
    captures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WatchImpaired(Event):
    """Not everything was seen: packets found no room, there were too many connections, or the interface went away."""

    name: ClassVar[str] = "WATCH_IMPAIRED"
    severity: ClassVar[Severity] = Severity.WARNING
    detail: str
    lost: int


# --- the event log itself ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogOpened(Event):
    """The event log was opened, and goes on behind `head`. `torn_octets`: half a line that a killed writer left."""

    name: ClassVar[str] = "LOG_OPENED"
    head: str
    previous: str
    torn_octets: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LogSigned(Event):
    """The log up to the line before this one was signed: line number, chain value, key, Ed25519 signature."""

    name: ClassVar[str] = "LOG_SIGNED"
    signed_seq: int
    head: str
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class LogFailed(Event):
    """The log's file cannot be written; facts wait in memory."""

    name: ClassVar[str] = "LOG_FAILED"
    severity: ClassVar[Severity] = Severity.ERROR
    detail: str
    waiting: int


@dataclass(frozen=True, slots=True)
class LogRecovered(Event):
    """The log's file can be written again, and what waited was."""

    name: ClassVar[str] = "LOG_RECOVERED"
    severity: ClassVar[Severity] = Severity.NOTICE
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LogOverflowed(Event):
    """More facts came than the spool holds: that many were lost."""

    name: ClassVar[str] = "LOG_LOST"
    severity: ClassVar[Severity] = Severity.ERROR
    lost: int
    detail: str


@dataclass(frozen=True, slots=True)
class LogPurged(Event):
    """Lines of a closed segment were taken out and left stubs; `digest` covers the numbers of all stubs in it now."""

    name: ClassVar[str] = "LOG_PURGED"
    severity: ClassVar[Severity] = Severity.NOTICE
    segment: str
    cause: str
    lines: int
    digest: str
    removed: bool = False
    last_seq: int = 0
    head: str = ""


@dataclass(frozen=True, slots=True)
class LogExported(Event):
    """Someone took a copy of lines out; `digest` is the SHA-256 of the file."""

    name: ClassVar[str] = "LOG_EXPORTED"
    severity: ClassVar[Severity] = Severity.NOTICE
    by: str
    lines: int
    digest: str
    selection: str


@dataclass(frozen=True, slots=True)
class PseudonymForgotten(Event):
    """The key behind a person's pseudonyms was destroyed: nobody can tell any more who they were."""

    name: ClassVar[str] = "LOG_FORGOTTEN"
    severity: ClassVar[Severity] = Severity.NOTICE
    pseudonym: str
    keys: int


@dataclass(frozen=True, slots=True)
class SinkFailed(Event):
    """A receiver of the log takes nothing; what it misses is read from the log's own files when it is back."""

    name: ClassVar[str] = "SINK_FAILED"
    severity: ClassVar[Severity] = Severity.ERROR
    sink: str
    detail: str


@dataclass(frozen=True, slots=True)
class SinkRecovered(Event):
    """A receiver of the log takes lines again; `lost` of them were gone from the log before it could have them."""

    name: ClassVar[str] = "SINK_RECOVERED"
    severity: ClassVar[Severity] = Severity.NOTICE
    sink: str
    seconds: float
    lost: int


@dataclass(frozen=True, slots=True)
class ClockJumped(Event):
    """This machine's clock was set; times before and after do not compare. `seconds` forward, or back if negative."""

    name: ClassVar[str] = "CLOCK_JUMP"
    severity: ClassVar[Severity] = Severity.WARNING
    seconds: float
