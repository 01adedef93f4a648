"""How a probe turned out: where it failed, how long each step took, and what echoes told of the way."""

import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from holdfast.probe.settings import Kind, Probe


class Stage(StrEnum):
    """The steps of a probe, each of which may be the one that fails."""

    HOST = "host"
    """This host itself refuses: no such interface, no right."""
    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    ANSWER = "answer"
    STATUS = "status"
    LOSS = "loss"
    ROUND_TRIP = "round_trip"


class Way(StrEnum):
    """Which way echoes went."""

    TUNNEL = "tunnel"
    DIRECT = "direct"
    """To the server, beside the tunnel."""


OK, TIMEOUT = "ok", "timeout"


class ProbeFailedError(Exception):
    """Raised inside a probe: the step that failed, and a sentence. Never leaves `holdfast.probe.run`."""

    def __init__(self, stage: Stage, detail: str) -> None:
        super().__init__(detail)
        self.stage, self.detail = stage, detail


@dataclass(frozen=True, slots=True)
class EchoSeries:
    """Echoes one way. `round_trips`: seconds of each that was answered, in the order they were sent."""

    way: Way
    host: str
    sent: int
    round_trips: tuple[float, ...] = ()

    @property
    def loss(self) -> float:
        """The fraction that was not answered."""
        return 1 - len(self.round_trips) / self.sent if self.sent else 0.0

    @property
    def mean(self) -> float | None:
        """Mean round trip in seconds; None when nothing was answered."""
        return sum(self.round_trips) / len(self.round_trips) if self.round_trips else None

    @property
    def jitter(self) -> float | None:
        """Mean difference between a round trip and the next, in seconds (RFC 3550 section 6.4.1, not smoothed)."""
        steps = [abs(later - earlier) for earlier, later in pairwise(self.round_trips)]
        return sum(steps) / len(steps) if steps else None

    def plain(self) -> dict[str, Any]:
        """Return it as plain data; times in seconds, `loss` as a fraction."""
        return {
            "way": str(self.way),
            "host": self.host,
            "sent": self.sent,
            "received": len(self.round_trips),
            "loss": round(self.loss, 4),
            "fastest": _rounded(min(self.round_trips, default=None)),
            "mean": _rounded(self.mean),
            "slowest": _rounded(max(self.round_trips, default=None)),
            "jitter": _rounded(self.jitter),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. `stage`: the step that failed, None when all is well; `steps`: seconds each took.

    `detail` is a sentence for people; it may hold words that a stranger sent.
    """

    detail: str
    seconds: float
    stage: Stage | None = None
    timed_out: bool = False
    steps: dict[str, float] = field(default_factory=dict)
    ways: tuple[EchoSeries, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all was well."""
        return self.stage is None

    @property
    def result(self) -> str:
        """One word: `ok`, `timeout`, or the step that failed."""
        if self.stage is None:
            return OK
        return TIMEOUT if self.timed_out else str(self.stage)

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "ok": self.ok,
            "result": self.result,
            "stage": None if self.stage is None else str(self.stage),
            "detail": self.detail,
            "seconds": round(self.seconds, 6),
            "steps": {name: round(took, 6) for name, took in self.steps.items()},
            "ways": [way.plain() for way in self.ways],
        }


RESULTS: dict[Kind, tuple[str, ...]] = {
    Kind.DNS: (OK, TIMEOUT, Stage.HOST, Stage.NAME),
    Kind.HTTP: (OK, TIMEOUT, Stage.HOST, Stage.NAME, Stage.CONNECT, Stage.TLS, Stage.ANSWER, Stage.STATUS),
    Kind.PING: (OK, TIMEOUT, Stage.HOST, Stage.NAME, Stage.LOSS, Stage.ROUND_TRIP),
}
"""Every word that `Outcome.result` can be, by kind."""


def described(probe: Probe) -> dict[str, Any]:
    """Return what a probe is, as plain data: what stands before its outcome in every listing."""
    return {"name": probe.name, "kind": str(probe.kind), "target": probe.target}


def refusal(error: OSError) -> str:
    """Return why this host or the other side refuses, in the system's words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return os.strerror(error.errno) if error.errno else str(error) or "broken off"


def milliseconds(seconds: float | None) -> str:
    """Return a time for people."""
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"


def told(series: Sequence[EchoSeries]) -> str:
    """Return what echoes told, in words."""
    return "; ".join(map(_sentence, series))


def _sentence(one: EchoSeries) -> str:
    where = f"to {one.host} through the tunnel" if one.way is Way.TUNNEL else f"to the server {one.host} beside it"
    if not one.round_trips:
        return f"none of {one.sent} echoes {where} were answered"
    words = f"round trip {milliseconds(one.mean)}, jitter {milliseconds(one.jitter)}, loss {one.loss:.0%}"
    return f"{words} {where}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
