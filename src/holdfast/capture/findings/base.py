"""What a finding is, and what the catalogue knows of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from holdfast.capture.moment import Moment

FRAMES_MOST = 16
"""Frames named as evidence of one finding; more help nobody."""

ENDS = frozenset(
    {"client-ended", "server-ended", "user-disconnect", "admin-disconnect", "idle-timeout", "session-timeout"}
    | {"stopped-early", "lcp-no-agreement", "auth-unanswered"}
)
"""What a cause makes superfluous: how the session ended because of it, and that it got no further."""


class Severity(StrEnum):
    """How bad it is."""

    FAULT = "fault"
    """The session failed, or does not work."""
    WARNING = "warning"
    """It works, but badly or unsafely; or it probably failed for this."""
    NOTE = "note"
    """Worth knowing, nothing to repair."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Towards(StrEnum):
    """The direction that is concerned."""

    SERVER = "client-to-server"
    CLIENT = "server-to-client"
    BOTH = "both"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Fixes:
    """What to do, by who can do it; each a sentence, with commands where there are any."""

    server: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    client: tuple[str, ...] = ()

    def as_data(self) -> dict[str, list[str]]:
        """Return the roles that have something to do."""
        roles = {"server": self.server, "network": self.network, "client": self.client}
        return {role: list(steps) for role, steps in roles.items() if steps}


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of finding. The id is part of the interface and never changes."""

    id: str
    title: str
    meaning: str
    """In plain words, for someone who has never heard of GRE."""
    recognised: str
    """What must be in the capture."""
    severity: Severity
    windows_codes: tuple[int, ...] = ()
    """What a Windows user probably saw."""
    fixes: Fixes = Fixes()
    capture_next: str = ""
    """What to capture when this is not sure enough."""
    references: tuple[str, ...] = ()
    explains: frozenset[str] = frozenset()
    """Findings that are only consequences of this one and are left out beside it."""

    def found(
        self,
        why: str,
        frames: Iterable[Moment | None] = (),
        *,
        certainty: float,
        severity: Severity | None = None,
        towards: Towards = Towards.NONE,
        fixes: Fixes | None = None,
    ) -> "Finding":
        """Return a finding of this kind. `why` says in one or two sentences what was seen.

        `fixes` takes the place of the catalogue's, where what was seen says more exactly what helps.
        """
        evidence = tuple(sorted({moment for moment in frames if moment is not None}))
        chosen = severity or self.severity
        return Finding(
            self,
            chosen,
            round(min(max(certainty, 0.0), 1.0), 2),
            towards,
            why,
            evidence[:FRAMES_MOST],
            fixes or self.fixes,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found in one session, or in the capture as a whole."""

    entry: Entry
    severity: Severity
    certainty: float
    towards: Towards
    why: str
    evidence: tuple[Moment, ...] = ()
    fixes: Fixes = Fixes()

    @property
    def id(self) -> str:
        """The stable word for it."""
        return self.entry.id

    @property
    def filter(self) -> str:
        """A Wireshark display filter that shows the evidence, in a syntax that every version takes."""
        return " || ".join(_numbers({moment.frame for moment in self.evidence}))

    def order(self) -> tuple[int, float, int]:
        """Sort key: the most important first."""
        first = self.evidence[0].nanoseconds if self.evidence else 0
        return self.severity.rank, -self.certainty, first

    def as_data(self, session_filter: str = "") -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "id": self.id,
            "severity": self.severity.value,
            "certainty": self.certainty,
            "direction": self.towards.value,
            "title": self.entry.title,
            "why": self.why,
            "meaning": self.entry.meaning,
            "frames": [moment.frame for moment in self.evidence],
            "files": [moment.file for moment in self.evidence],
            "filter": self.filter or session_filter,
            "windows_codes": list(self.entry.windows_codes),
            "fixes": self.fixes.as_data(),
            "capture_next": self.entry.capture_next,
            "references": list(self.entry.references),
        }


def _numbers(frames: set[int]) -> Iterator[str]:
    """Yield conditions for these frames; three and more in a row are one condition."""
    first = 0
    for frame in sorted(frames):
        first = frame if frame - 1 not in frames else first
        if frame + 1 in frames:
            continue
        if frame - first >= 2:
            yield f"(frame.number >= {first} && frame.number <= {frame})"
        else:
            yield from (f"frame.number == {each}" for each in range(first, frame + 1))
