"""Checking a log: is every line there, unchanged and in its place, and did the gateway's key sign for it?"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from holdfast.errors import DamagedError
from holdfast.observe.chain import GENESIS, Link, parse
from holdfast.observe.head import Head
from holdfast.observe.purge import stub_digest
from holdfast.observe.retention import PROOF, event_of
from holdfast.observe.signing import PublicKey, head_message

MOST_PROBLEMS = 100


@dataclass(slots=True)
class Problem:
    """Something that is wrong. `kind`: changed, removed, reordered, repeated, torn, damaged, emptied, forged."""

    kind: str
    file: str
    line: int
    seq: int
    text: str


@dataclass(slots=True)
class Report:
    """What was found. The log is whole when there are no problems; notes say what is worth knowing all the same."""

    lines: int = 0
    first_seq: int = 0
    last_seq: int = 0
    signatures: int = 0
    signed_seq: int = 0
    stubs: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def add(self, kind: str, text: str) -> None:
        """Note a problem that concerns no single line."""
        self.problems.append(Problem(kind, "", 0, 0, text))


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known from elsewhere: who signs, the last signed head, where an excerpt begins."""

    public: PublicKey | None = None
    head: Head | None = None
    start: bytes | None = None
    """Chain value before the first line of an excerpt; None for a whole log, which must begin at its beginning."""


Part = tuple[str, bool, Iterable[bytes]]
"""A file of the log: the name of the segment, whether it is still written, its lines."""


def verify(parts: Iterable[Part], expected: Expected) -> Report:
    """Check the parts, oldest first. StateError comes through from a part that cannot be read at all."""
    inspector = _Inspector(expected)
    for name, is_open, lines in parts:
        inspector.begin(name)
        try:
            for number, raw in enumerate(lines, 1):
                inspector.take(raw, number, is_open=is_open)
        except DamagedError as error:
            inspector.damaged(error)
    inspector.finish()
    return inspector.report


class _Inspector:
    """Walks through the lines and remembers what must be compared at the end."""

    def __init__(self, expected: Expected) -> None:
        self.report = Report()
        self._expected = expected
        self._chain: bytes | None = expected.start
        self._before: bytes | None = None
        """The chain value that the line before the current one states; None behind a gap."""
        self._seq = 0
        self._unknown = 0
        """How many lines since `_seq` were none of a log."""
        self._hole = False
        """Whether the lines since `_seq` are in a part that cannot be read."""
        self._file, self._number = "", 0
        self._gaps: list[tuple[int, int, Problem]] = []
        self._stubs: dict[str, list[int]] = {}
        self._purged: dict[str, set[str]] = {}
        self._removed: dict[int, str] = {}
        self._first: Link | None = None

    def begin(self, name: str) -> None:
        self._file = name

    def take(self, raw: bytes, number: int, *, is_open: bool) -> None:
        """Look at one line."""
        self._number = number
        line = parse(raw)
        if not raw.endswith(b"\n"):
            self._torn(raw, is_open=is_open)
            return
        if line is None:
            self._unknown += 1
            self._problem("changed", self._seq + self._unknown, "this is no line of a log any more")
            return
        self.report.lines += 1
        if self._first is None:
            self._first = line
        if self._place(line):
            self._content(line)

    def damaged(self, error: DamagedError) -> None:
        """The rest of this part cannot be read. The part after it is looked at all the same."""
        self._number += 1
        self._problem("damaged", self._seq + 1, f"from here on: {error.what}")
        self._hole = True

    def _torn(self, raw: bytes, *, is_open: bool) -> None:
        text = f"the last line is torn after {len(raw)} octets"
        if is_open:
            self.report.notes.append(f"{self._file}: {text}: the writer was killed in the middle of it")
        else:
            self._problem("torn", self._seq + 1, text)

    def _place(self, line: Link) -> bool:
        """Judge a line's place; return whether it is where it belongs, or begins a new stretch."""
        expected = self._seq + 1
        if line.seq < expected and self._seq:
            self._late(line)
            return False
        unknown, hole, self._unknown, self._hole = self._unknown, self._hole, 0, False
        if hole or (unknown and line.seq > expected):
            if self._seq and not hole and line.seq > expected + unknown:
                self._gap(expected + unknown, line.seq)
        elif self._seq and line.seq > expected:
            self._gap(expected, line.seq)
        elif self._chain is not None and not line.fits(self._chain):
            self._problem(
                "changed", line.seq, "this line was changed, or the one before it together with its chain value"
            )
        self._before = self._chain if line.seq == expected else None
        self._chain, self._seq = line.chain, line.seq
        return True

    def _gap(self, first: int, after: int) -> None:
        last = after - 1
        which = f"line {first} is" if first == last else f"lines {first} to {last} are"
        if problem := self._problem("removed", first, f"{which} missing before line {after}"):
            self._gaps.append((first, last, problem))

    def _late(self, line: Link) -> None:
        """A line that should have come earlier: then what looked removed was only moved."""
        for first, last, problem in self._gaps:
            if first <= line.seq <= last and problem.kind == "removed":
                problem.kind = "reordered"
                problem.text = f"line {line.seq} stands behind line {self._seq}, not before line {last + 1}"
                return
        self._problem("repeated", line.seq, f"line {line.seq} stands here again, behind line {self._seq}")

    def _content(self, line: Link) -> None:
        if line.stub:
            self.report.stubs += 1
            if line.stub != "withheld":
                self._stubs.setdefault(self._file, []).append(line.seq)
        elif event_of(line) in PROOF:
            self._proof(line, _record(line))
        head = self._expected.head
        if head is not None and head.seq == line.seq and head.chain != line.chain:
            self._problem("changed", line.seq, "up to here the log is another one than the gateway signed last")

    def _proof(self, line: Link, record: dict[str, Any]) -> None:
        """Look at what the log says about itself."""
        event = record.get("event")
        if event == "LOG_SIGNED":
            self._signature(line, record)
        elif event == "LOG_PURGED":
            self._purged.setdefault(str(record.get("segment")), set()).add(str(record.get("digest")))
            if record.get("removed"):
                self._removed[_number(record.get("last_seq"))] = str(record.get("head"))
        elif record.get("torn_octets"):
            torn = record["torn_octets"]
            self.report.notes.append(
                f"{self._file}:{self._number}: the writer before was killed in the middle of a line; its "
                f"{torn} octets were cut off"
            )

    def _signature(self, line: Link, record: dict[str, Any]) -> None:
        public = self._expected.public
        if public is None:
            return
        try:
            seq, head = int(record["signed_seq"]), bytes.fromhex(record["head"])
            good = public.verify(head_message(seq, head), bytes.fromhex(record["signature"]))
        except (KeyError, ValueError, TypeError):
            seq, head, good = 0, b"", False
        if good and seq == line.seq - 1 and self._before in {None, head}:
            self.report.signatures += 1
            self.report.signed_seq = seq
            return
        since = self.report.signed_seq + 1
        self._problem(
            "forged", line.seq, f"the signature is not good: lines {since} to {line.seq} may have been rewritten"
        )

    def _problem(self, kind: str, seq: int, text: str) -> Problem | None:
        if len(self.report.problems) >= MOST_PROBLEMS:
            return None
        problem = Problem(kind, self._file, self._number, seq, text)
        self.report.problems.append(problem)
        return problem

    def finish(self) -> None:
        """Compare what can be compared only at the end."""
        report = self.report
        report.last_seq = self._seq
        report.first_seq = self._first.seq if self._first else 0
        self._check_beginning()
        self._check_stubs()
        head = self._expected.head
        if head is not None and head.seq > self._seq:
            self._problem("removed", self._seq + 1, f"lines {self._seq + 1} to {head.seq} were signed and are missing")
        if self._expected.public is None:
            report.notes.append("signatures were not checked: there is no public key")
        elif self._seq > report.signed_seq + 1 and self._expected.start is None:  # custody signs all of an excerpt
            first = max(report.signed_seq + 1, report.first_seq)
            report.notes.append(f"lines {first} to {self._seq} are not signed yet")

    def _check_beginning(self) -> None:
        first = self._first
        if first is None or self._expected.start is not None:
            return
        said = self._removed.get(first.seq - 1, "")
        known = GENESIS if first.seq == 1 else _octets(said)
        if known is None:
            before = f"lines 1 to {first.seq - 1} are missing, and no purge says so"
            self.report.problems.insert(0, Problem("removed", "", 0, 1, before))
        elif not first.fits(known):
            text = "the first line was changed, or is not the first"
            self.report.problems.insert(0, Problem("changed", self._file, 1, first.seq, text))
        elif said:
            self.report.notes.append(f"lines 1 to {first.seq - 1} were removed by purges that the log tells of")

    def _check_stubs(self) -> None:
        if self._expected.start is not None:
            return
        for name, numbers in self._stubs.items():
            if stub_digest(numbers) not in self._purged.get(name, set()):
                text = f"{len(numbers)} lines of {name} were emptied, and no purge says so"
                self.report.problems.append(Problem("emptied", name, 0, numbers[0], text))


def _octets(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        return None


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _record(line: Link) -> dict[str, Any]:
    try:
        record = json.loads(line.text())
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
