"""The capturing machine itself lost frames."""

from collections.abc import Iterator

from holdfast.capture.case import Case
from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.session import Session
from holdfast.capture.words import counted

ENTRY = Entry(
    id="capture-lost-frames",
    title="The capture itself is not complete",
    meaning="The machine that captured could not keep up, the file is damaged, or frames were cut short. What is "
    "missing here need not have been missing on the line.",
    recognised="The capture's own statistics, damage in the file, or frames cut by a snap length.",
    severity=Severity.NOTE,
    capture_next="Capture whole frames with a larger buffer: `tcpdump -B 65536 -s 0`, or with a narrower filter.",
)


def recognise_case(case: Case) -> Iterator[tuple[Session | None, Finding]]:
    """Say once what limits the capture."""
    if not case.sessions:
        return
    dropped = sum(file.dropped for file in case.files)
    damaged = [text for file in case.files for kind, text, _ in file.notes if kind != "link-type"]
    limits = [f"{counted(dropped, 'frame')} got lost while capturing"] if dropped else []
    limits += damaged[:3]
    if case.counts.cut * 20 > case.counts.frames:
        limits.append(f"the snap length cut {counted(case.counts.cut, 'frame')}")
    if case.omitted or case.counts.overflowed:
        limits.append(f"{case.omitted + case.counts.overflowed} flows and calls were too many and were only counted")
    if case.stopped:
        limits.append("reading was stopped before the end")
    if limits:
        why = "; ".join(limits) + "."
        yield None, ENTRY.found(why[0].upper() + why[1:], certainty=0.99)
