"""What one run goes through: which step it is at, and what the steps before took."""

import asyncio
from dataclasses import dataclass, field

from holdfast.probe.outcome import Stage


@dataclass(slots=True)
class Course:
    """Times the steps of a run by the clock of its event loop. `note`: what is known if it breaks off now."""

    stage: Stage = Stage.HOST
    note: str = ""
    steps: dict[str, float] = field(default_factory=dict)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _began: float = field(init=False)
    _entered: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._entered = self._loop.time()

    def enter(self, stage: Stage) -> None:
        """Begin a step."""
        self.stage, self._entered = stage, self._loop.time()

    def done(self) -> None:
        """Note that the step is over, with the time it took."""
        self.steps[str(self.stage)] = self._loop.time() - self._entered

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._loop.time() - self._began
