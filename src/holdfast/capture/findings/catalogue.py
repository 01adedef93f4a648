"""All findings, and judging a capture by them."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from holdfast.capture import findings as package
from holdfast.capture.case import Case
from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.conclusion import conclude
from holdfast.capture.findings.view import View
from holdfast.capture.session import Session

Recogniser = Callable[[View], Iterator[Finding]]
CaseRecogniser = Callable[[Case], Iterator[tuple[Session | None, Finding]]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One module of the catalogue."""

    entry: Entry
    recognise: Recogniser | None
    recognise_case: CaseRecogniser | None


@dataclass(slots=True)
class Judgement:
    """What was found, by session id; "" holds what concerns the capture as a whole."""

    by_session: dict[str, list[Finding]] = field(default_factory=dict)

    def of(self, session: Session | None) -> list[Finding]:
        """Return the findings of a session, or of the capture as a whole, most important first."""
        return self.by_session.get(session.id if session else "", [])

    @property
    def all(self) -> list[Finding]:
        """All findings, most important first."""
        return sorted((each for found in self.by_session.values() for each in found), key=Finding.order)

    @property
    def worst(self) -> Severity | None:
        """The worst severity; None when nothing was found."""
        return min((finding.severity for finding in self.all), key=lambda severity: severity.rank, default=None)


@cache
def rules() -> tuple[Rule, ...]:
    """Return the catalogue, in the order of its modules' names."""
    found = []
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        if hasattr(module, "ENTRY"):
            found.append(
                Rule(module.ENTRY, getattr(module, "recognise", None), getattr(module, "recognise_case", None))
            )
    return tuple(found)


def entries() -> dict[str, Entry]:
    """Return every kind of finding by its id."""
    return {rule.entry.id: rule.entry for rule in rules()}


def judge(case: Case) -> Judgement:
    """Find what there is to find in a case."""
    judgement = Judgement({session.id: [] for session in case.sessions})
    judgement.by_session[""] = []
    for session in case.sessions:
        view = View(session, case)
        for rule in rules():
            if rule.recognise:
                judgement.by_session[session.id] += rule.recognise(view)
    for rule in rules():
        for concerned, finding in rule.recognise_case(case) if rule.recognise_case else ():
            judgement.by_session[concerned.id if concerned else ""].append(finding)
    for session in case.sessions:
        judgement.by_session[session.id] = _settle(View(session, case), judgement.by_session[session.id])
    judgement.by_session[""].sort(key=Finding.order)
    return judgement


def _settle(view: View, found: list[Finding]) -> list[Finding]:
    """Leave out what another finding explains, say something when nothing did, and sort."""
    explained = {(cause.id, word) for cause in found for word in cause.entry.explains}
    kept = [each for each in found if not any(word == each.id and cause != each.id for cause, word in explained)]
    kept += conclude(view, kept)
    return sorted(kept, key=Finding.order)
