"""The report as one self-contained page: text, a ladder of each session, and plots of both GRE directions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from holdfast import __version__
from holdfast._native import CaptureFile
from holdfast.capture import plot
from holdfast.capture.case import Case
from holdfast.capture.diagnosis import Comparison, Diagnosis, counters, negotiated, session_filter
from holdfast.capture.findings.base import Finding, Severity, Towards
from holdfast.capture.ladder import LAYERS, VANISHED, Pause, Row, rows, steps
from holdfast.capture.moment import Moment, clock
from holdfast.capture.session import Phase, Session
from holdfast.capture.summary import headline, inside_text, phase_name, summary, worked, worst_first
from holdfast.capture.vantage import Direction, Pair, conclusion, facts
from holdfast.capture.windows_codes import named
from holdfast.errors import HoldfastError

COMMAND_INLINE = 40
"""Characters of a command that may stand within a sentence."""
_COMMAND, _COMMAND_LINE = Markup("<code>{}</code>"), Markup('<code class="line">{}</code>')
CHAPTERS_MOST, OVERVIEW_MOST = 60, 1000
"""Sessions that are drawn, the worst first, and sessions that have a line."""
OPEN_MOST = 3
"""Sessions whose diagrams are open from the start."""
ROW_HEIGHT = 36
STRIP = 8
"""Arrows of one piece of a ladder: a printed page is never cut within a piece."""
DETAIL_LONG, DETAIL_BRIEF = 80, 34
"""Characters of the fields that fit under an arrow, on a wide page and on a phone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the ladder: an arrow, or a pause when `arrow` is None."""

    arrow: Row | None
    caption: str = ""
    number: int = 0
    """Which of the messages of the session it is."""
    time: str = ""
    tip: str = ""

    @property
    def details(self) -> list[tuple[str, str]]:
        """The fields under the arrow, for a wide page and for a narrow one."""
        text = self.arrow.detail if self.arrow else ""
        return [("long", _shortened(text, DETAIL_LONG)), ("brief", _shortened(text, DETAIL_BRIEF))] if text else []


@dataclass(frozen=True)
class Chapter:
    """One session as the page shows it."""

    session: Session
    findings: list[Finding]
    prefix: str = ""
    """Tells the sessions of several captures apart."""
    open: bool = True
    vanished: frozenset[Moment] = frozenset()
    """Frames that never came to the other end."""
    timeline: Sequence[dict[str, Any]] = ()
    """What capture and logs say in one order of time, see `logs.together.Together.timeline`."""

    @property
    def worked(self) -> bool:
        """Whether it came up."""
        return worked(self.session)

    @property
    def inside(self) -> str:
        """What the password that was given opened."""
        return inside_text(self.session)

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.session.id

    @property
    def anchor(self) -> str:
        """Where it is on the page."""
        return f"{self.prefix}{self.session.id}"

    @property
    def filter(self) -> str:
        """A Wireshark display filter for the session."""
        return session_filter(self.session)

    @property
    def worst(self) -> str:
        """The severity of its first finding; `healthy` when there is nothing above a note."""
        severity = self.findings[0].severity if self.findings else Severity.NOTE
        return "healthy" if severity is Severity.NOTE else severity.value

    @property
    def clock(self) -> str:
        """When it began."""
        return clock(self.session.started.nanoseconds)

    @property
    def when(self) -> str:
        """When it was, and for how long."""
        return f"{self.clock}, {self.session.ended.since(self.session.started):.1f} s long"

    def time(self, moment: Moment) -> str:
        """Seconds from the beginning of the session."""
        return f"{moment.since(self.session.started):.3f} s"

    @property
    def phases(self) -> list[tuple[str, str, float | None]]:
        """Every phase with `reached`, `failed` or nothing, and the second in which it was reached."""
        reached = self.session.phases
        order = list(Phase)
        last = order.index(self.session.phase) if self.session.phase else -1
        stopped = self.worst == Severity.FAULT.value and not self.worked
        found = []
        for place, phase in enumerate(order):
            second = reached[phase].since(self.session.started) if phase in reached else None
            state = "reached" if second is not None else "failed" if stopped and place == last + 1 else ""
            found.append((phase_name(phase), state, second))
        return found

    @cached_property
    def rows(self) -> list[Row]:
        """All arrows."""
        return rows(self.session, self.findings, self.vanished)

    @cached_property
    def strips(self) -> list[list[Step]]:
        """The ladder in pieces."""
        number = {id(row): place for place, row in enumerate(self.rows)}
        lines = [
            Step(None, step.text)
            if isinstance(step, Pause)
            else Step(step, "", number[id(step)], self.time(step.moment), _tip(step))
            for step in steps(self.rows)
        ]
        return [lines[at : at + STRIP] for at in range(0, len(lines), STRIP)]

    @property
    def layers(self) -> dict[str, str]:
        """The layers that the ladder shows, with their names."""
        shown = {row.layer for row in self.rows}
        return {layer: name for layer, name in LAYERS.items() if layer in shown}

    @property
    def data_left_out(self) -> int:
        """Frames of user data of which only the count is known."""
        return sum(flow.data_skipped for flow in self.session.up + self.session.down)

    @cached_property
    def plot(self) -> plot.Plot | None:
        """Both GRE directions over time."""
        return plot.plot_of(self.session)

    @property
    def counts(self) -> dict[str, tuple[object, object]]:
        """Counts of both directions side by side."""
        up, down = counters(self.session, up=True), counters(self.session, up=False)
        return {name.replace("_", " "): (_count(up[name]), _count(down[name])) for name in up}

    @property
    def negotiated(self) -> dict[str, object]:
        """What was agreed, without what was not."""
        return {name.replace("_", " "): _said(value) for name, value in negotiated(self.session).items() if value}


@dataclass(frozen=True)
class Part:
    """One capture, or several read as one."""

    diagnosis: Diagnosis
    title: str = ""
    prefix: str = ""
    vanished: frozenset[Moment] = frozenset()
    """Frames of this capture that never came to the other end."""

    @property
    def case(self) -> Case:
        """The sessions."""
        return self.diagnosis.case

    @property
    def files(self) -> tuple[CaptureFile, ...]:
        """The inputs."""
        return self.case.files

    @property
    def heading(self) -> str:
        """What stands before the names of the files."""
        return f"{self.title}: " if self.title else ""

    @property
    def span(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.case.end - self.case.begin) / 1e9

    @property
    def clock(self) -> str:
        """When the capture begins."""
        return clock(self.case.begin)

    @property
    def general(self) -> list[Finding]:
        """Findings of the capture as a whole."""
        return self.diagnosis.findings(None)

    @cached_property
    def _sorted(self) -> list[Session]:
        return worst_first(self.diagnosis)

    @cached_property
    def chapters(self) -> list[Chapter]:
        """The sessions that are drawn."""
        return [self._chapter(session, place) for place, session in enumerate(self._sorted[:CHAPTERS_MOST])]

    @property
    def overview(self) -> list[Chapter]:
        """The sessions that have a line in the list."""
        return [self._chapter(session, OPEN_MOST) for session in self._sorted[:OVERVIEW_MOST]]

    @property
    def anchors(self) -> set[str]:
        """Where on the page the drawn ones are."""
        return {chapter.anchor for chapter in self.chapters}

    @property
    def left_out(self) -> int:
        """Sessions that are not drawn."""
        return len(self._sorted) - len(self.chapters)

    def _chapter(self, session: Session, place: int) -> Chapter:
        timeline = self.diagnosis.logs.timeline(session) if self.diagnosis.logs else []
        findings = self.diagnosis.findings(session)
        return Chapter(session, findings, self.prefix, place < OPEN_MOST, self.vanished, timeline)


@dataclass(frozen=True)
class Between:
    """One session at both ends as the page shows it."""

    pair: Pair

    @property
    def client(self) -> Session:
        """The session in the client's capture."""
        return self.pair.client

    @property
    def server(self) -> Session:
        """The session in the server's capture."""
        return self.pair.server

    @property
    def conclusion(self) -> str:
        """What the comparison shows."""
        return conclusion(self.pair)

    @property
    def facts(self) -> list[str]:
        """What else it tells."""
        return list(facts(self.pair))

    @property
    def ways(self) -> list[tuple[str, Direction]]:
        """Both directions."""
        return [("client to server", self.pair.up), ("server to client", self.pair.down)]

    @property
    def plot(self) -> plot.Plot | None:
        """What arrived and what did not over time."""
        return plot.plot_between(self.pair)


def write(judged: Diagnosis | Comparison, path: Path) -> None:
    """Write the page. HoldfastError when the file cannot be written."""
    page = render(judged)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise HoldfastError(
            f"the page cannot be written: {error.strerror}", where=str(path), fix="Choose another place."
        ) from None


def render(judged: Diagnosis | Comparison) -> str:
    """Return the page."""
    if isinstance(judged, Comparison):
        up = [moment for pair in judged.pairs for moment in pair.up.vanished]
        down = [moment for pair in judged.pairs for moment in pair.down.vanished]
        parts = [
            Part(judged.client, "At the client", "client-", frozenset(up)),
            Part(judged.server, "At the server", "server-", frozenset(down)),
        ]
        pairs: list[Between] | None = [Between(pair) for pair in judged.pairs]
    else:
        parts, pairs = [Part(judged)], None
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            version=__version__,
            headline=headline(judged),
            summary=summary(judged),
            worst=_worst(judged),
            parts=parts,
            pairs=pairs,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("holdfast.capture"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(commands=_commands, windows=named, direction=_direction, frames=_frames)
    environment.globals.update(layers=list(LAYERS), all_layers=LAYERS, row_height=ROW_HEIGHT, half=plot.HALF)
    return environment


def _worst(judged: Diagnosis | Comparison) -> str:
    """The colour of the whole."""
    ends = [judged.client, judged.server] if isinstance(judged, Comparison) else [judged]
    found = [end.judgement.worst for end in ends if end.judgement.worst is not None]
    severity = min(found, key=lambda each: each.rank, default=Severity.NOTE)
    if severity is Severity.NOTE and judged.verdict.value != "healthy":
        return "warning" if judged.verdict.value == "findings" else "note"
    return "healthy" if severity is Severity.NOTE else severity.value


def _tip(row: Row) -> str:
    """What hovering shows: everything that is known of an arrow."""
    way = "both ways" if row.both else "client to server" if row.from_client else "server to client"
    run = f", {row.count} frames" if row.count > 1 else ""
    proof = ", ".join(word for word in row.faults if word != VANISHED)
    fault = f" | proof of {proof}" if proof else ""
    fault += " | never came to the other end" if row.vanished else ""
    return f"{row.caption} | {LAYERS[row.layer]}, {way} | frame {row.moment.frame}{run} | {row.detail}{fault}"


def _commands(text: str) -> Markup:
    """Set the commands of a sentence, which stand in backticks, apart; long ones in lines of their own."""
    pieces: list[Markup] = []
    alone = False
    for place, piece in enumerate(text.split("`")):
        if place % 2:
            alone = len(piece) > COMMAND_INLINE
            pieces.append((_COMMAND_LINE if alone else _COMMAND).format(piece))
        else:
            pieces.append(escape(piece.lstrip(",;. ") if alone else piece))
    return Markup("").join(pieces)


def _direction(towards: Towards) -> str:
    return {
        Towards.SERVER: "from the client to the server",
        Towards.CLIENT: "from the server to the client",
        Towards.BOTH: "in both directions",
        Towards.NONE: "",
    }[towards]


def _frames(finding: Finding, files: Sequence[CaptureFile]) -> str:
    """The frames of the evidence, by file where there are several."""
    return "; ".join(_of_files(finding, files))


def _of_files(finding: Finding, files: Sequence[CaptureFile]) -> Iterator[str]:
    for number in sorted({moment.file for moment in finding.evidence}):
        frames = ", ".join(str(moment.frame) for moment in finding.evidence if moment.file == number)
        yield f"{frames} of {files[number].name}" if len(files) > 1 else frames


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"


def _count(value: object) -> object:
    """A count in a table: the smallest and the largest in words, nothing for what was not seen."""
    if isinstance(value, list):
        return str(value[0]) if value[0] == value[-1] else f"{value[0]} to {value[-1]}"
    return "" if value is None else value


def _said(value: object) -> object:
    """A value of the negotiation for people."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "yes" if value is True else value
