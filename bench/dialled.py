"""A dialer under measurement: its command line, its event log, and the rows of the table."""

import statistics
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.demo import until
from tests.support.logs import so_far

ECHO, FAILURES = 1, 2


@dataclass
class Dialled:
    """A running dialer's event log."""

    log: Path

    def records(self, event: str, **fields: str) -> list[dict[str, Any]]:
        """Return such events, each with `at`: seconds since 1970."""
        wanted = [r for r in so_far(self.log) if r["event"] == event and all(r.get(k) == v for k, v in fields.items())]
        return [{**record, "at": datetime.fromisoformat(record["ts"]).timestamp()} for record in wanted]

    def times(self, event: str, **fields: str) -> list[float]:
        """Return when such events happened (seconds since 1970)."""
        return [record["at"] for record in self.records(event, **fields)]

    def due(self) -> float:
        """Return when the last pause between two tries was over."""
        last = self.records("DIAL_WAIT")[-1]
        return float(last["at"] + last["delay"])

    def phases(self) -> dict[str, float]:
        """Return the milliseconds of each phase of the last try."""
        found: dict[str, float] = {}
        for record in so_far(self.log):
            if record["event"] == "DIAL_PHASE":
                if record["phase"] == "name":
                    found = {}
                found[record["phase"]] = record["milliseconds"]
        return found

    def wait(self, event: str, count: int, **fields: str) -> float:
        """Wait for the event to have happened so often; return when it last did."""
        until(lambda: len(self.times(event, **fields)) >= count, f"{event} did not happen {count} times", 60)
        return self.times(event, **fields)[count - 1]


def row(name: str, seconds: list[float], wanted: str) -> str:
    """Return a line of the table."""
    return f"{name:<56}{statistics.median(seconds) * 1000:>7.0f} ms{max(seconds) * 1000:>7.0f} ms   {wanted}"


def dial(directory: Path, password: Path, name: str, host: str, echo: int = ECHO) -> tuple[tuple[str, ...], Dialled]:
    """Return the arguments for a dialer called `name`, and its log."""
    keys = (f"echo_interval={echo}", f"echo_failures={FAILURES}", "retry_spread=0", "retry_max=1", "dns=none")
    options = ("--routes", "full", *(word for key in keys for word in ("--set", key)))
    state = directory / "dialer"
    where = ("--name", name, "--state", str(state), "--password-file", str(password))
    return ("dial", host, "--user", "alice", *where, *options), Dialled(state / "dial" / name / "events.jsonl")
