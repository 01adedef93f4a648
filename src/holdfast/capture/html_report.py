"""The report as one self-contained page: text, a ladder of each session, and plots of both GRE directions."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from holdfast import __version__
from holdfast.capture.diagnosis import Diagnosis, counters, negotiated, session_filter
from holdfast.capture.findings.base import Finding
from holdfast.capture.ladder import Row, rows
from holdfast.capture.session import Phase, Session
from holdfast.errors import HoldfastError

SESSIONS_MOST = 200
ROW_HEIGHT = 26
PLOT_WIDTH, PLOT_HEIGHT = 640, 60
PLOT_STEPS = 3
"""Fewer steps of time say nothing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of a plot, in its coordinates."""

    x: float
    width: float
    height: float
    packets: int
    missing: int
    second: float


@dataclass(frozen=True, slots=True)
class Chapter:
    """One session as the page shows it."""

    session: Session
    findings: list[Finding]
    rows: list[Row]
    plots: list[tuple[str, list[Bar]]]

    @property
    def filter(self) -> str:
        """A Wireshark display filter for the session."""
        return session_filter(self.session)

    @property
    def worst(self) -> str:
        """The severity of its first finding."""
        return self.findings[0].severity.value if self.findings else "note"

    @property
    def ladder_height(self) -> int:
        """Height of the ladder in its own units."""
        return ROW_HEIGHT * (len(self.rows) + 2)

    def seconds(self, row: Row) -> float:
        """Seconds from the beginning of the session."""
        return row.moment.since(self.session.started)

    @property
    def phases(self) -> list[tuple[str, float | None]]:
        """Every phase with the second in which it was reached."""
        reached = self.session.phases
        return [
            (phase.value, reached[phase].since(self.session.started) if phase in reached else None) for phase in Phase
        ]

    @property
    def counts(self) -> dict[str, tuple[object, object]]:
        """Counts of both directions side by side."""
        up, down = counters(self.session, up=True), counters(self.session, up=False)
        return {name.replace("_", " "): (up[name], down[name]) for name in up}

    @property
    def negotiated(self) -> dict[str, object]:
        """What was agreed, without what was not."""
        return {name.replace("_", " "): value for name, value in negotiated(self.session).items() if value}


def write(diagnosis: Diagnosis, path: Path) -> None:
    """Write the page. HoldfastError when the file cannot be written."""
    try:
        path.write_text(render(diagnosis), encoding="utf-8")
    except OSError as error:
        raise HoldfastError(
            f"the page cannot be written: {error.strerror}", where=str(path), fix="Choose another place."
        ) from None


def render(diagnosis: Diagnosis) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("holdfast.capture"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sessions = sorted(
        diagnosis.case.sessions,
        key=lambda session: [finding.severity.rank for finding in diagnosis.findings(session)[:1]] or [9],
    )
    return environment.get_template("report.html.j2").render(
        version=__version__,
        verdict=diagnosis.verdict.value,
        case=diagnosis.case,
        span=(diagnosis.case.end - diagnosis.case.begin) / 1e9,
        general=diagnosis.findings(None),
        chapters=[_chapter(diagnosis, session) for session in sessions[:SESSIONS_MOST]],
        left_out=max(len(sessions) - SESSIONS_MOST, 0),
        row_height=ROW_HEIGHT,
        plot_width=PLOT_WIDTH,
        plot_height=PLOT_HEIGHT,
    )


def _chapter(diagnosis: Diagnosis, session: Session) -> Chapter:
    findings = diagnosis.findings(session)
    plots = [(name, _bars(session, up)) for name, up in (("client to server", True), ("server to client", False))]
    return Chapter(session, findings, rows(session, findings), [plot for plot in plots if len(plot[1]) >= PLOT_STEPS])


def _bars(session: Session, up: bool) -> list[Bar]:
    """Packets over the time of the session, one bar for each step of each flow."""
    begin = session.started.nanoseconds
    span = max(session.ended.nanoseconds - begin, 1)
    steps = [
        (flow.timeline_start_ns + index * flow.timeline_step_ns - begin, flow.timeline_step_ns, packets, missing)
        for flow in session.flows(up)
        for index, (packets, _, missing) in enumerate(flow.timeline)
        if packets
    ]
    most = max((packets for _, _, packets, _ in steps), default=1)
    scale = PLOT_WIDTH / span
    return [
        Bar(
            round(min(max(at, 0) * scale, PLOT_WIDTH - 1), 2),
            round(max(length * scale - 0.3, 0.8), 2),
            round(PLOT_HEIGHT * packets / most, 2),
            packets,
            missing,
            at / 1e9,
        )
        for at, length, packets, missing in steps
    ]
