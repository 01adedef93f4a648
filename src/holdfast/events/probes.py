"""Facts about probes through a tunnel."""

from dataclasses import dataclass
from typing import ClassVar

from holdfast.events.base import Event, Severity


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
