"""`[timeouts]`, `[limits]`, `[admission]` and `[groups.NAME]`: who may come in, and how long and how much for.

The keys that users and groups may override are those of `holdfast.policy.overrides`; their words and defaults stand
there and in `SessionPolicy`, once.
"""

from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from holdfast.config.values import HostAddress, PoolRange
from holdfast.network.filters import FilterRule
from holdfast.policy.effective import SessionPolicy
from holdfast.policy.overrides import (
    LongSecondsOrOff,
    NumberOfBits,
    NumberOrNone,
    OctetsOrNone,
    Overrides,
    Presets,
    SecondsOrOff,
    SectionName,
    SingleSession,
    WeeklyHours,
)

_DEFAULTS = SessionPolicy()


def shared(key: str) -> Any:
    """Return the field of a key that groups and users may override."""
    return Field(default=getattr(_DEFAULTS, key), description=Overrides.model_fields[key].description)


def _network(value: Any) -> Any:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise ValueError('a network is written as text, such as "192.0.2.0/24"')
    try:
        return IPv4Network(value.strip())
    except (AddressValueError, NetmaskValueError):
        raise ValueError(f"{value!r} is not an IPv4 network such as 192.0.2.0/24") from None
    except ValueError:
        meant = IPv4Network(value.strip(), strict=False)
        raise ValueError(f"{value!r} has bits set beyond its prefix; write {meant}") from None


Network = Annotated[
    IPv4Network,
    BeforeValidator(_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "description": "network/prefix or one address", "examples": ["192.0.2.0/24"]}),
]
Seconds = Annotated[float, Field(strict=True, gt=0, le=86400, allow_inf_nan=False)]


class PolicySection(BaseModel):
    """What the sections share: they are frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TimeoutsSection(PolicySection):
    """`[timeouts]`: how long sessions last. LCP echo stands in `[ppp]`."""

    preset: Presets = Field(default=(), description=Overrides.model_fields["preset"].description)
    setup_timeout: Seconds = 60.0
    """Seconds after the call came up in which traffic must be possible."""
    idle_timeout: LongSecondsOrOff = shared("idle_timeout")
    session_timeout: LongSecondsOrOff = shared("session_timeout")
    time_warning: SecondsOrOff = shared("time_warning")
    control_lost_grace: SecondsOrOff = shared("control_lost_grace")
    accounting_interval: LongSecondsOrOff = shared("accounting_interval")
    heartbeats: Annotated[tuple[HostAddress, ...], Field(max_length=64)] = ()
    """Hosts to and from which pings do not count as user traffic, such as those that a router watches."""


class LimitsSection(PolicySection):
    """`[limits]`: how many and how much. Control connections in all are `gateway.max_connections`."""

    volume_limit: OctetsOrNone = shared("volume_limit")
    sessions_per_user: NumberOrNone = shared("sessions_per_user")
    single_session: SingleSession = shared("single_session")
    filter: SectionName = shared("filter")
    rate_up: NumberOfBits = shared("rate_up")
    rate_down: NumberOfBits = shared("rate_down")
    sessions: NumberOrNone = 0
    """Sessions at a time; 0 for as many as there are addresses."""
    sessions_per_address: NumberOrNone = 0
    """Sessions at a time from one client address (clients behind one NAT share it); 0 for any number."""
    half_open: NumberOrNone = 10_000
    """Calls at a time whose client is not through negotiation and login yet; 0 for any number."""
    connections_per_address: NumberOrNone = 0
    """Control connections at a time from one client address; 0 for any number."""
    new_connections_per_second: NumberOrNone = 0
    """New control connections in a second, from everywhere; 0 for any number."""


class AdmissionSection(PolicySection):
    """`[admission]`: who is let in."""

    allow: tuple[Network, ...] = ()
    """Networks from which clients may connect; without any, from everywhere."""
    deny: tuple[Network, ...] = ()
    """Networks from which clients may not connect, even where `allow` names them."""
    hours: WeeklyHours = shared("hours")
    failed_logins: NumberOrNone = 10
    """Failed logins of one account from one address that lock it out there; 0 never locks."""
    failed_logins_per_address: NumberOrNone = 50
    """Failed logins from one address that lock it out, except for users who signed in from it before; 0 never locks."""
    lock_time: Seconds = 600.0
    """Seconds that a lock lasts. What is tried meanwhile does not make it longer."""
    spray_accounts: NumberOrNone = 10
    """Different accounts whose logins fail from one address, from which on it is told as `SPRAYING`; 0 for never."""
    siege_addresses: NumberOrNone = 20
    """Different addresses at which logins of one account fail, from which on it is told as `BESIEGED`; 0 for never."""
    flaps: NumberOrNone = 6
    """Sessions of one address in a row, lost within `flap_time`, after which its next calls must wait; 0 for never."""
    flap_time: Seconds = 30.0
    """Seconds; a session that breaks down sooner counts as a flap."""


class PoolSection(PolicySection):
    """`[pools.NAME]`: addresses for some clients."""

    ranges: Annotated[tuple[PoolRange, ...], Field(min_length=1)]
    """first-last, network/prefix (its host addresses) or single ones."""


def _rule(value: Any) -> Any:
    if isinstance(value, FilterRule):
        return value
    if not isinstance(value, str) or not value.strip():
        raise ValueError('a rule is written as text, such as "allow 10.0.0.0/8 tcp 80,443"')
    return FilterRule.parse(value)


Rule = Annotated[
    FilterRule,
    BeforeValidator(_rule),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["allow 10.0.0.0/8 tcp 80,443", "deny any"]}),
]


class FilterSection(PolicySection):
    """`[filters.NAME]`: what some clients may reach."""

    rules: tuple[Rule, ...]
    """`allow` or `deny`, a network or `any`, a protocol, ports. The first that fits decides; what none allows is
    dropped."""


class GroupSection(Overrides):
    """`[groups.NAME]`: what holds for the users of a group."""

    networks: tuple[Network, ...] = ()
    """Users without a group belong to this one while they connect from one of these networks."""

    def overrides(self) -> Overrides:
        """Return the settings alone."""
        return Overrides(**{key: getattr(self, key) for key in Overrides.model_fields})
