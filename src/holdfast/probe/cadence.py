"""When a probe runs, and when it counts as failed: one small state machine in virtual time.

    PAUSED --open--> WAITING --due--> RUNNING --finished--> WAITING ...       any --close--> PAUSED

The pauses vary by a tenth, so that the probes of many tunnels fall out of step. What was failed when a tunnel went
down stays failed until a run is well again; a run that a lost tunnel interrupted counts for nothing.
"""

from dataclasses import dataclass
from typing import Any

from holdfast.events import Event, ProbeFailed, ProbeRecovered
from holdfast.machine import Entropy
from holdfast.probe.outcome import RESULTS, Outcome, described
from holdfast.probe.settings import Probe

SPREAD = 0.1
"""How much longer or shorter than the interval a pause may be, as a fraction of it."""
FIRST_WITHIN = 2.0
"""Seconds after the tunnel came up within which the first run begins, for intervals longer than that."""


@dataclass(frozen=True, slots=True)
class RunProbe:
    """Run it now, and say how it turned out (`finished`)."""

    probe: Probe


@dataclass(frozen=True, slots=True)
class Redial:
    """Give the tunnel up and dial anew. `evidence` is one sentence."""

    evidence: str


class Cadence:
    """The life of one probe over all sessions of its tunnel. Feed it with verbs, wait for `deadline`, drain it."""

    def __init__(self, probe: Probe, entropy: Entropy) -> None:
        self.probe = probe
        self.deadline: float | None = None
        self.failed = False
        self.in_a_row = 0
        self.last: Outcome | None = None
        self.runs = dict.fromkeys(map(str, RESULTS[probe.kind]), 0)
        self._entropy = entropy
        self._open = False
        self._began = self._failed_since = self._last_at = 0.0
        self._worked_here = False
        self._commands: list[RunProbe | Redial] = []
        self._events: list[Event] = []

    # --- verbs ---------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """The tunnel is up."""
        self._open, self._worked_here = True, False
        self.deadline = now + self._fraction() * min(FIRST_WITHIN, self.probe.interval)

    def close(self) -> None:
        """The tunnel is gone, and with it a run that was under way."""
        self._open, self.deadline, self.in_a_row = False, None, 0
        self._commands.clear()

    def handle_timer(self, now: float) -> None:
        """Begin a run when one is due."""
        if self.deadline is not None and self.deadline <= now:
            self._began, self.deadline = now, None
            self._commands.append(RunProbe(self.probe))

    def finished(self, outcome: Outcome, now: float) -> None:
        """The run that was asked for is over; the next one is due an interval after this one began, never at once."""
        if not self._open:
            return
        self.noted(outcome, now)
        pause = self.probe.interval * (1 + SPREAD * (2 * self._fraction() - 1))
        self.deadline = max(self._began + pause, now + self.probe.interval * SPREAD)

    def noted(self, outcome: Outcome, now: float) -> None:
        """Count a run, whoever asked for it."""
        self.last, self._last_at = outcome, now
        self.runs[outcome.result] = self.runs.get(outcome.result, 0) + 1
        if outcome.ok:
            self._recover(outcome, now)
        else:
            self._fail(outcome, now)

    # --- drains --------------------------------------------------------------------------------------------

    def commands(self) -> list[RunProbe | Redial]:
        """Drain what must be done."""
        taken, self._commands = self._commands, []
        return taken

    def events(self) -> list[Event]:
        """Drain the facts."""
        taken, self._events = self._events, []
        return taken

    def status(self, now: float) -> dict[str, Any]:
        """Return how it is, as plain data: `failed`, failures `in_a_row`, `runs` by result, the `last` outcome."""
        return {
            **described(self.probe),
            "failed": self.failed,
            "in_a_row": self.in_a_row,
            "runs": dict(self.runs),
            "last": None if self.last is None else self.last.plain(),
            "seconds_ago": None if self.last is None else round(now - self._last_at, 1),
        }

    # --- what happens --------------------------------------------------------------------------------------

    def _recover(self, outcome: Outcome, now: float) -> None:
        self.in_a_row, self._worked_here = 0, True
        if self.failed:
            self.failed = False
            seconds = round(now - self._failed_since, 1)
            what = (self.probe.name, str(self.probe.kind), self.probe.target)
            self._events.append(ProbeRecovered(*what, seconds, outcome.detail))

    def _fail(self, outcome: Outcome, now: float) -> None:
        if not self.in_a_row and not self.failed:
            self._failed_since = now
        self.in_a_row += 1
        if self.in_a_row < self.probe.failures:
            return
        if not self.failed:
            self.failed = True
            what = (self.probe.name, str(self.probe.kind), self.probe.target)
            how = (str(outcome.stage), outcome.result, outcome.detail)
            self._events.append(ProbeFailed(*what, *how, self.in_a_row))
        # A tunnel in which it never worked is not to blame: dialling again and again would mend nothing.
        if self.probe.reconnect and self._worked_here:
            self._worked_here = False
            self._commands.append(
                Redial(f"the probe {self.probe.name} failed {self.in_a_row} times in a row: {outcome.detail}")
            )

    def _fraction(self) -> float:
        return int.from_bytes(self._entropy(4)) / 2**32
