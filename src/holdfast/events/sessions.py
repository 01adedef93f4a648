"""Facts about sessions and the gateway."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.errors import WANTED_ENDS, ControlEnd, DisconnectReason
from holdfast.events.base import Event, Severity


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
