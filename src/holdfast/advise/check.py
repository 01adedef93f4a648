"""One thing that was looked at: what was seen, what that means, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a check says. UNKNOWN: it could not be seen; the evidence tells why."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's list.

    `id` is stable; `title` says in one sentence how it is; `evidence` is the file, setting or rule that shows it;
    `fixes` are commands, or sentences where no command does it.
    """

    id: str
    verdict: Verdict
    title: str
    evidence: str = ""
    fixes: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {
            "id": self.id,
            "verdict": self.verdict.value,
            "title": self.title,
            "evidence": self.evidence,
            "fixes": list(self.fixes),
        }


def ok(name: str, title: str, evidence: str = "") -> Check:
    """Return what is as it should be."""
    return Check(name, Verdict.OK, title, evidence)


def warning(name: str, title: str, evidence: str = "", *fixes: str) -> Check:
    """Return what works today or for some."""
    return Check(name, Verdict.WARNING, title, evidence, fixes)


def fault(name: str, title: str, evidence: str = "", *fixes: str) -> Check:
    """Return what keeps PPTP from working."""
    return Check(name, Verdict.FAULT, title, evidence, fixes)


def unknown(name: str, title: str, why: str, *fixes: str) -> Check:
    """Return what could not be seen, and why not."""
    return Check(name, Verdict.UNKNOWN, title, why, fixes)


def worst(checks: Iterable[Check]) -> Verdict:
    """Return the gravest verdict; what is unknown is no finding."""
    seen = {check.verdict for check in checks}
    return next((verdict for verdict in (Verdict.FAULT, Verdict.WARNING) if verdict in seen), Verdict.OK)
