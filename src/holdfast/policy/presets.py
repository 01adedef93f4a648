"""Sets of timers by name, with the numbers that operators were promised.

An echo interval times the failures is the time after which a dead client is noticed. Shorter means extra packets and
clients that are thrown out in a short outage; longer means addresses and licences held by clients that are gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings that belong together (keys of `SessionPolicy`), and what they are for."""

    purpose: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def _echo(interval: float, failures: int) -> Mapping[str, Any]:
    return {"lcp_echo_interval": interval, "lcp_echo_failures": failures}


HOUR = 3600.0

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "default": Preset("dead clients are noticed in 30 s", _echo(10.0, 3)),
        "fast-failover": Preset("dead clients are noticed in 15 s: for redundant lines", _echo(5.0, 3)),
        "mobile": Preset("dead clients are noticed in 40 s: for links with short gaps", _echo(10.0, 4)),
        "idle-control": Preset("sessions end after 15 min without user traffic", {"idle_timeout": 900.0}),
        "idle-control-consumer": Preset("sessions end after 5 min without user traffic", {"idle_timeout": 300.0}),
        "cap-1h": Preset("sessions last an hour at most", {"session_timeout": HOUR}),
        "cap-4h": Preset("sessions last four hours at most", {"session_timeout": 4 * HOUR}),
        "cap-24h": Preset("sessions last a day at most", {"session_timeout": 24 * HOUR}),
    }
)
