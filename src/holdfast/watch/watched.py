"""One connection that is watched: its packets judged so far, and what of them is kept."""

from dataclasses import dataclass, field

from holdfast.capture.case import Case
from holdfast.capture.diagnosis import Diagnosis
from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.live import LiveCapture
from holdfast.capture.session import Phase, Session
from holdfast.control.codes import CONTROL_PORT
from holdfast.watch.packets import Seen, text
from holdfast.watch.tape import Tape

Ends = tuple[bytes, int, bytes, int]
"""Client's address and port, server's address and port; ports are 0 for GRE without its control connection."""
SECOND = 1_000_000_000
SURE = 0.6
"""From this certainty on, a finding is told while the session still goes on."""
CHECKS = (6.0, 20.0, 40.0)
"""Seconds after its beginning at which a connection is looked at; then every `LATER`."""
LATER = 60.0
SETTLE = 3.0
"""Seconds without a packet after a goodbye, or `SETTLE_MOST` in any case, until the end is judged."""
SETTLE_MOST = 15.0
SILENT = 240.0
"""Seconds without any packet after which a connection counts as over: a living one has an echo each minute
(RFC 2637 section 3.1.4)."""
NEVER_SPOKE = 45.0
"""The same where not a single control message or GRE packet was seen."""


@dataclass
class Watched:
    """A control connection with its calls, or GRE whose control connection was never seen. Times in nanoseconds."""

    name: str
    interface: str
    key: Ends
    born: int
    lost_before: int = 0
    """Packets that the ring had lost when this began."""
    port: int = CONTROL_PORT
    capture: LiveCapture = field(init=False)
    tape: Tape = field(default_factory=Tape)
    last: int = 0
    goodbye: int = 0
    begun: bool = False
    """Whether anything of PPTP was seen."""
    spoke: bool = False
    """Whether both sides took part, which no flood can fake from far away."""
    packets: int = 0
    checks: int = 0
    checked: int = 0
    calls: set[tuple[bytes, bytes, int]] = field(default_factory=set)
    """(source, destination, Call ID) of the GRE that belongs to it."""
    up: bool = False
    told: set[str] = field(default_factory=set)
    """Findings that were told while it went on."""
    captures: dict[str, str] = field(default_factory=dict)
    """Where the capture of each finding is."""
    state: str = ""
    user: str = ""

    def __post_init__(self) -> None:
        self.capture = LiveCapture(self.interface, self.port)
        self.last = self.checked = self.born

    @property
    def client(self) -> bytes:
        """Address of the side that connected; of GRE alone, the side that was seen first."""
        return self.key[0]

    @property
    def server(self) -> bytes:
        """The other side's."""
        return self.key[2]

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """Both addresses, as `Seen.pair` has them."""
        return (self.client, self.server) if self.client < self.server else (self.server, self.client)

    def take(self, nanoseconds: int, seen: Seen, length: int) -> None:
        """Take a packet of this connection; `length` is that of the IP packet."""
        self.capture.add(nanoseconds, seen.ip, length)
        self.tape.add(nanoseconds, seen, length)
        self.last = max(self.last, nanoseconds)
        self.packets += 1

    def over(self, now: int) -> bool:
        """Whether nothing more is to come."""
        quiet = (now - self.last) / SECOND
        if self.goodbye:
            return quiet >= SETTLE or (now - self.goodbye) / SECOND >= SETTLE_MOST
        return quiet >= (SILENT if self.begun else NEVER_SPOKE)

    def due(self, now: int) -> bool:
        """Whether it is time to look at it while it goes on."""
        if self.last <= self.checked or self.goodbye:
            return False
        if self.checks < len(CHECKS):
            return (now - self.born) / SECOND >= CHECKS[self.checks]
        return (now - self.checked) / SECOND >= LATER

    def check(self, now: int, lost: int) -> Diagnosis:
        """Judge it as it is now."""
        self.checks, self.checked = self.checks + 1, max(now, self.last)
        return self.capture.diagnose(now, lost)

    @property
    def ends(self) -> tuple[str, str]:
        """Client and server, for people."""
        return text(self.client), text(self.server)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judgement says of one connection: its most telling session, and all serious findings."""

    case: Case
    session: Session | None
    serious: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    @property
    def up(self) -> bool:
        """Whether a session came to carry user data."""
        return bool(self.session and {Phase.ADDRESS, Phase.TRAFFIC} & set(self.session.phases))

    @property
    def phase(self) -> str:
        """How far it got."""
        return self.session.phase.value if self.session and self.session.phase else ""

    def surely(self) -> list[Finding]:
        """Return what is sure enough to be told while it goes on."""
        return [finding for finding in self.serious if finding.certainty >= SURE]


def verdict_of(diagnosis: Diagnosis) -> Verdict:
    """Sum up a judgement of one connection."""
    sessions = diagnosis.case.sessions
    found = [finding for session in [None, *sessions] for finding in diagnosis.findings(session)]
    serious = sorted((one for one in found if one.severity is not Severity.NOTE), key=Finding.order)
    notes = [one for one in found if one.severity is Severity.NOTE]
    session = max(sessions, key=_telling, default=None)
    return Verdict(diagnosis.case, session, tuple(serious), tuple(notes))


def _telling(session: Session) -> tuple[bool, int, int]:
    return bool(session.call), len(session.phases), session.gre_packets(up=True) + session.gre_packets(up=False)
