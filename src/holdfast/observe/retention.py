"""How long which facts are kept: every event belongs to one class, and each class has its days."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from holdfast.observe.chain import Link


class EventClass(StrEnum):
    """What a fact is about, as far as keeping it goes."""

    SESSIONS = "sessions"
    """Who was connected, when and how."""
    SECURITY = "security"
    """Who was refused, and what was suspicious."""
    ADMIN = "admin"
    """What was done to the gateway, and how it was itself."""
    PACKETS = "packets"
    """Control messages and PPP packets: everything at debug."""
    LOG = "log"
    """What makes the log provable. Kept as long as there are lines around it."""


_SECURITY = """
    AUTH_FAIL IMPOSTOR LOCKED SPRAYING BESIEGED LIMIT CALL_REFUSED CALL_ID_COLLISION REPLAYED UNKNOWN_CALL
    CONTROL_VIOLATION PPP_VIOLATION NO_ADDRESS RADIUS_REFUSED WATCH_FAILED WATCH_FINDING WATCH_RECURRING
    FIREWALL_LOST
"""
_ADMIN = """
    ADMIN CONFIG_CHANGED CONFIG_REFUSED DRAIN GATEWAY_UP GATEWAY_DOWN INTERNAL_FAULT HOST_CHANGE CLOCK_JUMP
    RADIUS_REQUEST RADIUS_DOWN RADIUS_UP ACCOUNTING_QUEUE ACCOUNTING_ASIDE CAPTURE_FAILED LOG_EXPORTED LOG_FORGOTTEN
    LOG_FAILED LOG_RECOVERED LOG_LOST SINK_FAILED SINK_RECOVERED WATCH_START WATCH_STOP WATCH_IMPAIRED
    FORWARDING_LOST
"""
SECURITY, ADMIN = frozenset(_SECURITY.split()), frozenset(_ADMIN.split())
PROOF = frozenset({"LOG_OPENED", "LOG_SIGNED", "LOG_PURGED"})

_HEAD = re.compile(rb'\{"ts":"([^"]{1,40})","event":"([A-Z0-9_]{1,40})","severity":"([a-z]{1,10})"')


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that each class is kept; 0 keeps it for ever."""

    sessions: int = 180
    security: int = 365
    admin: int = 365
    packets: int = 7

    def days(self, kind: EventClass) -> int:
        """Return the days of a class; 0 for ever."""
        return 0 if kind is EventClass.LOG else int(getattr(self, kind.value))

    def expired(self, line: Link, now: datetime) -> bool:
        """Whether a line is older than its class is kept. A line that cannot be read is kept."""
        found = _HEAD.match(line.octets)
        if found is None:
            return False
        days = self.days(class_of(found[2].decode(), found[3].decode()))
        if not days:
            return False
        try:
            return datetime.fromisoformat(found[1].decode()) < now - timedelta(days=days)
        except (ValueError, TypeError):
            return False


def event_of(line: Link) -> str:
    """Return the event's name of a line, "" for a stub."""
    found = _HEAD.match(line.octets)
    return found[2].decode() if found else ""


def class_of(event: str, severity: str) -> EventClass:
    """Return the class of an event."""
    if event in PROOF:
        return EventClass.LOG
    if severity == "debug":
        return EventClass.PACKETS
    if event in SECURITY:
        return EventClass.SECURITY
    return EventClass.ADMIN if event in ADMIN else EventClass.SESSIONS
