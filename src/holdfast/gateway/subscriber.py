"""What the gateway keeps for one session: the session itself and everything that must be released with it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from holdfast.dataplane.carrier import Carrier
from holdfast.gateway.alarm import Alarm
from holdfast.observe.recorder import Tape
from holdfast.session import Session

if TYPE_CHECKING:
    from holdfast.gateway.connection import ControlConnection


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
    address: str = ""
    tape: Tape = field(default_factory=lambda: Tape(0))

    def context(self) -> dict[str, Any]:
        """Return the envelope that every event of this session carries."""
        return {
            "session": self.session.session_id,
            **self.connection.context(),
            "local_call_id": self.local_call_id,
            "peer_call_id": self.peer_call_id,
            "user": self.user,
        }
