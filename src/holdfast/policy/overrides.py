"""The settings of a session that file, group and user may each give: one name and one meaning everywhere.

`[timeouts]`, `[limits]`, `[ppp]` and `[admission]` of the file, `[groups.NAME]` and `holdfast user set` all use these
keys. What is not given is None and leaves the word to whoever stands below (`holdfast.policy.effective`).
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from holdfast.errors import HoldfastError
from holdfast.policy.hours import Hours
from holdfast.policy.presets import PRESETS

YEAR = 366 * 86400


class SingleSession(StrEnum):
    """What a sign-in of a user who is connected already means."""

    ALLOW = "allow"
    """Both sessions stay, as far as `sessions_per_user` allows."""
    DENY = "deny"
    """The session that is there stays, the new one is refused."""
    REPLACE = "replace"
    """The new one takes over if the old one fails a quick probe."""
    REPLACE_NOW = "replace-now"
    """The new one takes over at once."""


def _known_preset(name: str) -> str:
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}; the presets are {', '.join(PRESETS)}")
    return name


def _network(text: str) -> str:
    try:
        network = IPv4Network(text.strip())
    except (AddressValueError, NetmaskValueError):
        raise ValueError(f"{text!r} is not an IPv4 network such as 192.168.5.0/24") from None
    except ValueError:
        raise ValueError(f"{text!r} has bits set; write {IPv4Network(text.strip(), strict=False)}") from None
    if not network.prefixlen:
        raise ValueError("everything cannot lie behind one client")
    return str(network)


def _as_list(value: Any) -> Any:
    """One of a list may be written without brackets."""
    return [value] if isinstance(value, str) else value


def _windows(text: str) -> str:
    Hours.parse(text)
    return text


SecondsOrOff = Annotated[float, Field(strict=True, ge=0, le=86400, allow_inf_nan=False)]
"""A time in seconds; 0 switches the thing off."""
LongSecondsOrOff = Annotated[float, Field(strict=True, ge=0, le=YEAR, allow_inf_nan=False)]
"""A time in seconds, up to a year; 0 switches the thing off."""
Count = Annotated[int, Field(strict=True, ge=1, le=255)]
"""A counter of RFC 1661 section 4.6."""
NumberOrNone = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
"""How many; 0 sets no limit."""
OctetsOrNone = Annotated[int, Field(strict=True, ge=0, le=1 << 62)]
"""Octets; 0 sets no limit."""
NumberOfBits = Annotated[int, Field(strict=True, ge=0, le=10**12)]
"""Bits a second; 0 sets no limit."""
SectionName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_as_list)]
Presets = Annotated[tuple[Annotated[str, AfterValidator(_known_preset)], ...], BeforeValidator(_as_list)]
WeeklyHours = Annotated[str, Field(max_length=500), AfterValidator(_windows)]


class Overrides(BaseModel):
    """Some of the settings of a session."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    preset: Presets | None = None
    """Sets of timers by name; a later one goes before an earlier one, and every key beside it before them all."""
    lcp_echo_interval: SecondsOrOff | None = None
    """Seconds between LCP Echo-Requests; 0 sends none."""
    lcp_echo_failures: Count | None = None
    """Unanswered LCP Echo-Requests in a row that end a session."""
    idle_timeout: LongSecondsOrOff | None = None
    """Seconds without user traffic that end a session; 0 for never."""
    session_timeout: LongSecondsOrOff | None = None
    """Seconds that a session may last; 0 for any time."""
    time_warning: SecondsOrOff | None = None
    """Seconds before a session's time ends at which the client is told (Time-Remaining, RFC 1570); 0 for never."""
    volume_limit: OctetsOrNone | None = None
    """Octets of user packets, both ways together, that a session may move; 0 for any number."""
    control_lost_grace: SecondsOrOff | None = None
    """Seconds that a session may go on by GRE alone when its control connection is lost; 0 ends it at once."""
    accounting_interval: LongSecondsOrOff | None = None
    """Seconds between interim accounting records; 0 for none."""
    sessions_per_user: NumberOrNone | None = None
    """Sessions that one user may have at a time; 0 for any number."""
    single_session: SingleSession | None = None
    """What a sign-in means while the user is connected already: "allow", "deny", "replace" or "replace-now"."""
    hours: WeeklyHours | None = None
    """Weekly windows in which a user may be connected, in local time; empty for always."""
    pool: SectionName | None = None
    """Where the address comes from: the name of a section `[pools.NAME]`; empty for `addresses.pool`."""
    routes: Networks | None = None
    """Networks behind the client, reached through its session while it is connected."""
    filter: SectionName | None = None
    """What the client may reach: the name of a section `[filters.NAME]`; empty for everything."""
    rate_up: NumberOfBits | None = None
    """Bits a second from the client; more is dropped; 0 sets no limit."""
    rate_down: NumberOfBits | None = None
    """Bits a second to the client; more is dropped; 0 sets no limit."""

    def given(self) -> dict[str, Any]:
        """Return what is given, without presets, as values of `SessionPolicy`."""
        return {key: value for key, value in self if key != "preset" and value is not None}

    def plain(self) -> dict[str, Any]:
        """Return what is given as plain data, presets too."""
        return self.model_dump(mode="json", exclude_none=True)


def parse_override(text: str) -> tuple[str, Any]:
    """Read `key=value` as a person types it; the value is None for `key=` (take the setting away).

    HoldfastError says what is wrong with it.
    """
    key, equals, written = (part.strip() for part in text.partition("="))
    if not equals or key not in Overrides.model_fields:
        keys = ", ".join(Overrides.model_fields)
        raise HoldfastError(f"{text!r} is not key=value with one of the keys {keys}")
    if not written:
        return key, None
    overrides = read_overrides({key: _value(key, written)})
    return key, overrides.plain()[key]


def read_overrides(values: Mapping[str, Any]) -> Overrides:
    """Check plain data. HoldfastError names what is wrong."""
    try:
        return Overrides.model_validate(dict(values))
    except ValidationError as error:
        raise HoldfastError("; ".join(map(_complaint, error.errors(include_url=False)))) from None


def _complaint(detail: ErrorDetails) -> str:
    where = detail["loc"][0] if detail["loc"] else "settings"
    message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    return f"{where} = {detail['input']!r}: {message}"


def _value(key: str, written: str) -> Any:
    """A person types words without quotes and lists without brackets."""
    if key in ("preset", "routes") and not written.startswith("["):
        return [name.strip() for name in written.split(",")]
    try:
        return tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        return written
