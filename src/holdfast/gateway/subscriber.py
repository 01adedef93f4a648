"""What the gateway keeps for one session: the session itself and everything that must be released with it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from holdfast.alarm import Alarm
from holdfast.dataplane.carrier import Carrier
from holdfast.events import Direction
from holdfast.gateway.fragmentation import Tally
from holdfast.gateway.paths import TunnelPath
from holdfast.gateway.repeats import Repeats
from holdfast.observe.recorder import Tape
from holdfast.policy.effective import Effective, SessionPolicy
from holdfast.policy.radius_login import Grant
from holdfast.session import Session, SessionState

if TYPE_CHECKING:
    from holdfast.gateway.connection import ControlConnection


@dataclass(frozen=True, slots=True)
class Renewal:
    """What the limits of a session count from: its beginning, or the last time that RADIUS let it go on.

    `at`: loop time, None for the beginning. `asking`: whether the client is proving itself once more. `not_before`:
    loop time at which it may be asked again.
    """

    at: float | None = None
    not_before: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
    asking: bool = False


@dataclass(slots=True, eq=False)
class Subscriber:
    """A session in its surroundings. `started` is loop time, `since` wall-clock time."""

    session: Session
    connection: "ControlConnection"
    carrier: Carrier
    alarm: Alarm
    local_call_id: int
    peer_call_id: int
    started: float
    since: datetime
    user: str = ""
    """Who signed in, once that was said."""
    account: str = ""
    """Under whose name the session counts, from the verdict on."""
    effective: Effective = field(default_factory=Effective)
    expires: float | None = None
    """When the account ends, in seconds since 1970."""
    claim: int = 0
    """How many claims the client has made; the last one awaits its verdict."""
    up_at: float | None = None
    visit_at: float = 0.0
    warned: bool = False
    missed: int = 0
    missed_since: float | None = None
    silent: set[str] = field(default_factory=set)
    """Directions that are silent while another is not (`holdfast.gateway.health`)."""
    pieces: dict[Direction, Tally] = field(default_factory=lambda: {direction: Tally() for direction in Direction})
    """Tunnel packets that travelled in pieces and were not told yet."""
    fragmented_out: int = 0
    repeats: Repeats = field(default_factory=Repeats)
    path: TunnelPath = field(default_factory=TunnelPath)
    grace_until: float | None = None
    """Until when the session may go on without its control connection."""
    grace_evidence: str = ""
    address: str = ""
    networks: tuple[str, ...] = ()
    """Networks behind the client that lead to the session."""
    filtered: str = ""
    """The filter that stands on the host for the session."""
    grant: Grant | None = None
    """What RADIUS gave besides a yes."""
    renewal: Renewal = Renewal()
    tape: Tape = field(default_factory=lambda: Tape(0))

    @property
    def policy(self) -> SessionPolicy:
        """The timers and limits that hold."""
        return self.effective.policy

    @property
    def group(self) -> str:
        """The group of users that it belongs to; empty for none."""
        return self.policy.group

    @property
    def counted_from(self) -> float | None:
        """Since when its time counts, in loop time; None before it is up."""
        return self.up_at if self.renewal.at is None else self.renewal.at

    @property
    def up(self) -> bool:
        """Whether user traffic may pass."""
        return self.session.state is SessionState.UP

    def context(self) -> dict[str, Any]:
        """Return the envelope that every event of this session carries."""
        return {
            "session": self.session.session_id,
            **self.connection.context(),
            "local_call_id": self.local_call_id,
            "peer_call_id": self.peer_call_id,
            "user": self.user,
        }
