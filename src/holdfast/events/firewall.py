"""Facts about this host's firewall and forwarding, as far as they are ours."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from holdfast.events.base import Event, Severity


class FirewallPurpose(StrEnum):
    """What a firewall table of ours is there for."""

    GATEWAY = "gateway"
    """NAT, forwarding and filters of clients."""
    KILL_SWITCH = "kill_switch"
    IPV6_WALL = "ipv6_wall"


@dataclass(frozen=True, slots=True)
class FirewallLost(Event):
    """Somebody took our firewall table away, or something out of it; `restored` tells whether it stands again.

    `open_seconds` is how long it was missing at most: since it was last seen to stand. `times` is how often that was
    since it was told last; `programs` are those that changed this host's firewall meanwhile, as far as it is known.
    """

    name: ClassVar[str] = "FIREWALL_LOST"
    severity: ClassVar[Severity] = Severity.WARNING
    table: str
    purpose: FirewallPurpose
    missing: str
    restored: bool
    open_seconds: float
    detail: str
    times: int = 1
    programs: tuple[str, ...] = ()

    @classmethod
    def severities(cls) -> tuple[Severity, ...]:
        """A gateway's; what keeps traffic of this host in, or cannot be put back."""
        return (Severity.WARNING, Severity.ERROR)

    def level(self) -> Severity:
        """Return how bad it is: what a kill switch keeps in has leaked."""
        return Severity.WARNING if self.restored and self.purpose is FirewallPurpose.GATEWAY else Severity.ERROR


@dataclass(frozen=True, slots=True)
class ForwardingLost(Event):
    """Somebody switched IP forwarding off under a running gateway; `restored` tells whether it is on again.

    `times` is how often that was since it was told last.
    """

    name: ClassVar[str] = "FORWARDING_LOST"
    severity: ClassVar[Severity] = Severity.WARNING
    restored: bool
    detail: str
    times: int = 1

    @classmethod
    def severities(cls) -> tuple[Severity, ...]:
        """It was mended, or could not be."""
        return (Severity.WARNING, Severity.ERROR)

    def level(self) -> Severity:
        """Return how bad it is: while it is off, clients reach the gateway and nothing behind it."""
        return Severity.WARNING if self.restored else Severity.ERROR
