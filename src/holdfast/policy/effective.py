"""What holds for a session, and where each value came from.

Default < preset < file < group < user < RADIUS: whoever stands further right has the word. A preset ranks just below
the place that names it, so that a user's preset goes before a group's timers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from holdfast.policy.overrides import Overrides, SingleSession
from holdfast.policy.presets import PRESETS

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """The timers, limits and ways of one session. Seconds, octets, bits a second; 0 switches off.

    From `reauthenticate` on, what groups and users cannot override by these names. `reauthenticate`: at the end of its
    time the client proves itself again, instead of being sent away. `address`: ranges, as text, of which alone the
    session may have its address; none means the pool. `mtu`: octets of the largest packet sent to the client.
    """

    lcp_echo_interval: float = 10.0
    lcp_echo_failures: int = 3
    idle_timeout: float = 0.0
    session_timeout: float = 0.0
    time_warning: float = 60.0
    volume_limit: int = 0
    control_lost_grace: float = 0.0
    accounting_interval: float = 300.0
    sessions_per_user: int = 0
    single_session: SingleSession = SingleSession.ALLOW
    hours: str = ""
    pool: str = ""
    routes: tuple[str, ...] = ()
    filter: str = ""
    rate_up: int = 0
    rate_down: int = 0
    reauthenticate: bool = False
    volume_limit_in: int = 0
    volume_limit_out: int = 0
    group: str = ""
    address: tuple[str, ...] = ()
    client_wish: bool = False
    dns: tuple[str, ...] = ()
    wins: tuple[str, ...] = ()
    mtu: int = 1400
    mppe: str = "require"
    mppe_bits: tuple[int, ...] = (128,)


KEYS: tuple[str, ...] = tuple(field.name for field in fields(SessionPolicy))

RADIUS_KEYS: Mapping[int, str] = MappingProxyType(
    {27: "session_timeout", 28: "idle_timeout", 85: "accounting_interval"}
)
"""RFC 2865 sections 5.27 and 5.28, RFC 2869 section 5.16: attributes of an Access-Accept that are our keys."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says: the values it gives, and for each its origin in words.

    `unusable`: what it says besides and cannot hold, each as a sentence that names it and says why.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    unusable: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any], origin: str) -> "Layer":
        """Return a layer whose values all come from the same place."""
        return cls(values, dict.fromkeys(values, origin))


@dataclass(frozen=True, slots=True)
class Effective:
    """The outcome: the values, and the origin of each. `unusable` as in `Layer`."""

    policy: SessionPolicy = SessionPolicy()
    origins: Mapping[str, str] = field(default_factory=dict)
    unusable: tuple[str, ...] = ()

    def origin(self, key: str) -> str:
        """Say where the value of `key` came from."""
        return self.origins.get(key, DEFAULT)

    def settings(self) -> list[dict[str, Any]]:
        """Return every setting as plain data: key, value, origin."""
        return [{"key": key, "value": _plain(getattr(self.policy, key)), "origin": self.origin(key)} for key in KEYS]


def effective(layers: Iterable[Layer]) -> Effective:
    """Merge layers, the weakest first."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.values.items():
            values[key] = value
            origins[key] = layer.origins[key]
    return Effective(SessionPolicy(**values), MappingProxyType(origins))


NARROWING: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"mtu": min, "mppe_bits": lambda held, wanted: tuple(bits for bits in held if bits in wanted)}
)
"""What RADIUS can only narrow: LCP and the configuration have settled how much is possible."""


def over(before: Effective, layer: Layer) -> Effective:
    """Return settings with those of RADIUS over them."""
    values: dict[str, Any] = {}
    unusable = [*before.unusable, *layer.unusable]
    for key, wanted in layer.values.items():
        held = getattr(before.policy, key)
        kept = NARROWING[key](held, wanted) if key in NARROWING else wanted
        if key not in NARROWING or kept != held:
            values[key] = kept
        elif key == "mtu" and wanted > held:
            unusable.append(f"{layer.origins[key]} = {wanted}: {held} is the most that is sent ({before.origin(key)})")
    origins = {**before.origins, **{key: layer.origins[key] for key in values}}
    return Effective(replace(before.policy, **values), MappingProxyType(origins), tuple(unusable))


def layers_of(overrides: Overrides, origin: str, origins: Mapping[str, str] | None = None) -> list[Layer]:
    """Return what one place says: its presets, then its own values.

    `origin` names the place; `origins` may know better for single keys (the line of a file).
    """
    where = origins or {}
    presets = [
        Layer.of(PRESETS[name].settings, f"preset {name} ({where.get('preset', origin)})")
        for name in overrides.preset or ()
    ]
    given = overrides.given()
    return [*presets, Layer(given, {key: where.get(key, origin) for key in given})]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, StrEnum) else value
