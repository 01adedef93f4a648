"""What every fact is: its word in the log, its level, its fields."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar


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
