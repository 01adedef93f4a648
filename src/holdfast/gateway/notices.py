"""Telling the log of refusals, at a rate that no flood can raise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.events import Event, LimitReached

BURST = 10
"""Events of one limit in `PERIOD` seconds; what comes beyond is counted and told with the next one."""
PERIOD = 10.0


@dataclass(slots=True)
class _Meter:
    begun: float
    told: int = 0
    untold: int = 0


class Notices:
    """Reports `LIMIT`. The limits are few words of ours, so that nothing here grows with the number of clients."""

    def __init__(self, report: Callable[[Event, Mapping[str, Any]], None]) -> None:
        self._report = report
        self._meters: dict[str, _Meter] = {}

    def limit(self, limit: str, subject: str, detail: str, context: Mapping[str, Any], now: float) -> None:
        """Tell that `subject` was kept out, or count it when that was told often enough just now."""
        meter = self._meters.setdefault(limit, _Meter(now))
        if now - meter.begun >= PERIOD:
            meter.begun, meter.told = now, 0
        if meter.told >= BURST:
            meter.untold += 1
            return
        times, meter.untold = meter.untold + 1, 0
        meter.told += 1
        self._report(LimitReached(limit, subject, detail, times), context)
