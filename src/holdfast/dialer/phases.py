"""The steps from nothing to traffic, and how long each took."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """What is done, in order. `ENCRYPTION` is skipped where none is agreed."""

    NAME = "name"
    TCP = "tcp"
    CONTROL = "control"
    CALL = "call"
    LCP = "lcp"
    AUTHENTICATION = "authentication"
    ENCRYPTION = "encryption"
    ADDRESS = "address"
    HOST = "host"
    TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True)
class Step:
    """A phase that was reached, the milliseconds since the one before, and a few words about it."""

    phase: Phase
    milliseconds: float
    detail: str = ""


@dataclass(slots=True)
class Stopwatch:
    """Times the phases of one try. `now` is the clock in seconds; `listener` hears of each step."""

    now: Callable[[], float]
    listener: Callable[[Step], None] = lambda _step: None
    steps: list[Step] = field(default_factory=list)
    _last: float = field(init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._last = self.now()

    def reached(self, phase: Phase, detail: str = "") -> None:
        """Note that `phase` is done now; a second time is not noted."""
        if any(step.phase is phase for step in self.steps):
            return
        now = self.now()
        step = Step(phase, round((now - self._last) * 1000, 1), detail)
        self._last = now
        self.steps.append(step)
        self.listener(step)

    @property
    def total(self) -> float:
        """Milliseconds from the start to the last phase reached."""
        return round((self._last - self._began) * 1000, 1)

    @property
    def last(self) -> str:
        """The last phase reached, or `start`."""
        return self.steps[-1].phase if self.steps else "start"
