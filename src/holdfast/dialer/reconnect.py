"""When to dial again: one small state machine in virtual time, with the randomness handed in.

    IDLE --start--> TRYING --up--> UP --ended--> WAITING --due--> TRYING ...          any --stop--> STOPPED
                    TRYING --ended--> WAITING, or STOPPED for a failure that another try cannot mend

The first try after a loss is immediate where the loss is this dialer's alone (the server still answers, the
network under it changed, the session had reached its limit). A loss that every other dialer of that server
shares (its control connection broke, it says that it leaves, it is silent) is met with a first try somewhere in
`spread` seconds: a thousand dialers that come back in the same second take the server down again. Tries that
follow wait exponentially longer with full jitter between `minimum` and the cap of their round, which is never
below twice `spread` after a shared loss.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from holdfast.errors import DisconnectReason
from holdfast.events import DialScheduled, DialStopped, Event
from holdfast.machine import Entropy

SHARED_GROWTH = 2.0
"""The cap after the first try that follows a shared loss, in spreads: those who tried in vain must not come back among
those who try for the first time."""
GROWTH = 2.0
"""How much longer the cap of each round is than the one before."""


class ExitCode:
    """How `holdfast dial` ends, so that a service manager can tell what to restart (documented for operators).

    `HOPELESS` is for what no later try can mend: somebody must change something first.
    """

    DONE = 0
    GAVE_UP = 1
    HOPELESS = 2


@dataclass(frozen=True, slots=True)
class ReconnectPolicy:
    """Times in seconds. `maximum_tries` counts failures in a row, `maximum_time` runs from the loss; 0 is no limit.

    A tunnel that was up for `stable_after` begins anew: with the first, short wait and full limits. `confirmations`:
    how many more tries before a refusal of a password is believed that was good for so long.
    """

    persist: bool = True
    minimum: float = 1.0
    maximum: float = 60.0
    spread: float = 20.0
    stable_after: float = 60.0
    maximum_tries: int = 0
    maximum_time: float = 0.0
    confirmations: int = 2


class Phase(StrEnum):
    """Where a dialer stands."""

    IDLE = "idle"
    TRYING = "trying"
    UP = "up"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Dial:
    """Try now. `number` counts the tries since the tunnel was last stable, from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again. `message` is one sentence for people."""

    exit_code: int
    message: str


PERMANENT = {
    DisconnectReason.AUTH_FAILED: "check user name and password",
    DisconnectReason.AUTH_REFUSED: "ask the server's administrator",
    DisconnectReason.ENCRYPTION_MISMATCH: "the two sides allow no encryption in common",
    DisconnectReason.VOLUME_LIMIT: "the volume that this account may use is used up",
}
"""What another try with the same settings cannot mend, and what may."""

UNHURRIED = frozenset(
    {
        DisconnectReason.ADMIN,
        DisconnectReason.LIMIT_REACHED,
        DisconnectReason.REPLACED,
        DisconnectReason.RADIUS_DISCONNECT,
    }
)
"""A server that sends us away for these is believed: the next try is at the slow end."""

DOUBTED = (60.0, 300.0)
"""Seconds, up to twice as long: the least waits before the tries that confirm the refusal of a password that was good.
Servers give the same refusal (E=691) while what they ask is away: a RADIUS server or a domain controller that starts
again. Three tries in six minutes or more lock no account where ten or five bad ones in a row would."""

GOOD_BEFORE = "this password was right before: asked again before it is believed"

OURS_ALONE = frozenset({DisconnectReason.SESSION_TIMEOUT, DisconnectReason.IDLE_TIMEOUT, DisconnectReason.USER_REQUEST})
"""Ends that concern this session only, as the server may end it: no other dialer comes back with us."""


class Reconnect:
    """The strategy of one tunnel. Feed it with verbs, wait for `deadline`, drain `commands` and `events`."""

    def __init__(self, policy: ReconnectPolicy, entropy: Entropy) -> None:
        self.phase = Phase.IDLE
        self.deadline: float | None = None
        self.tries = 0
        self._policy = policy
        self._entropy = entropy
        self._round = 0
        self._up_since = 0.0
        self._trouble_since: float | None = None
        self._again_at_once = False
        self._shared = False
        self._proven = False
        self._refusals = 0
        self._commands: list[Dial | GiveUp] = []
        self._events: list[Event] = []

    # --- verbs ---------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Begin to dial."""
        if self.phase is Phase.IDLE:
            self._trouble_since = now
            self._dial()

    def up(self, now: float) -> None:
        """The tunnel carries traffic."""
        if self.phase is Phase.TRYING:
            self.phase = Phase.UP
            self._up_since = now
            self._again_at_once = False
            self._refusals = 0

    def ended(
        self,
        reason: DisconnectReason,
        evidence: str,
        now: float,
        *,
        server_answers: bool = False,
        network_moved: bool = False,
    ) -> None:
        """A try failed or the tunnel was lost.

        `server_answers`: the server still speaks to us otherwise; `network_moved`: it was lost because the network
        under it changed, so the next try is immediate.
        """
        if self.phase not in {Phase.TRYING, Phase.UP}:
            return
        self._again_at_once |= network_moved
        lost = self.phase is Phase.UP
        if lost and now - self._up_since >= self._policy.stable_after:
            self._forget_trouble()
            self._proven = True
        if self._trouble_since is None:
            self._trouble_since = now
        # Encryption that was on a moment ago was lost, not refused: another try may well bring it back.
        lost_step = lost and reason is DisconnectReason.ENCRYPTION_MISMATCH
        if reason is DisconnectReason.AUTH_FAILED and self._doubts():
            self._again_at_once = False
            self._wait(self._doubtful_delay(), reason, f"{evidence}; {GOOD_BEFORE}", now)
        elif reason in PERMANENT and not lost_step:
            self._stop(ExitCode.HOPELESS, f"{evidence}; {PERMANENT[reason]}")
        elif not self._policy.persist:
            self._stop(ExitCode.GAVE_UP if not lost else ExitCode.DONE, evidence)
        else:
            self._wait(self._delay(reason, lost and not server_answers), reason, evidence, now)

    def network_changed(self, now: float) -> None:
        """What lies under the tunnel is another now: what was hopeless may work. Waiting ends at once.

        But not the wait for another answer about a password, which is as good over any network.
        """
        if self.phase is Phase.WAITING and not self._refusals:
            self._round = 0
            self.deadline = now
        elif self.phase is Phase.TRYING:
            self._again_at_once = True

    def stop(self, message: str, exit_code: int = ExitCode.DONE) -> None:
        """The user wants no more, or the host makes it pointless."""
        if self.phase is not Phase.STOPPED:
            self._stop(exit_code, message)

    def handle_timer(self, now: float) -> None:
        """Dial when the wait is over."""
        if self.deadline is not None and self.deadline <= now:
            self._dial()

    def commands(self) -> list[Dial | GiveUp]:
        """Drain what must be done."""
        drained, self._commands = self._commands, []
        return drained

    def events(self) -> list[Event]:
        """Drain what happened."""
        drained, self._events = self._events, []
        return drained

    # --- plain data ----------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {
            "phase": str(self.phase),
            "deadline": self.deadline,
            "tries": self.tries,
            "round": self._round,
            "up_since": self._up_since,
            "trouble_since": self._trouble_since,
            "again_at_once": self._again_at_once,
            "shared": self._shared,
            "proven": self._proven,
            "refusals": self._refusals,
        }

    @classmethod
    def restore(cls, state: dict[str, Any], policy: ReconnectPolicy, entropy: Entropy) -> "Reconnect":
        """Continue from what `snapshot` returned."""
        machine = cls(policy, entropy)
        machine.phase, machine.deadline, machine.tries = Phase(state["phase"]), state["deadline"], state["tries"]
        machine._round, machine._up_since = state["round"], state["up_since"]
        machine._trouble_since, machine._shared = state["trouble_since"], state["shared"]
        machine._again_at_once = state["again_at_once"]
        machine._proven, machine._refusals = state["proven"], state["refusals"]
        return machine

    # --- inside --------------------------------------------------------------------------------------------

    def _forget_trouble(self) -> None:
        self.tries = self._round = 0
        self._trouble_since = None

    def _dial(self) -> None:
        self.phase, self.deadline = Phase.TRYING, None
        self.tries += 1
        self._commands.append(Dial(self.tries))

    def _doubts(self) -> bool:
        """Count a refusal of our password; say whether it is to be confirmed before it is believed."""
        self._refusals += 1
        return self._proven and self._policy.persist and self._refusals <= self._policy.confirmations

    def _doubtful_delay(self) -> float:
        least = DOUBTED[min(self._refusals, len(DOUBTED)) - 1]
        return max(least, self._policy.maximum) * (1 + self._fraction())

    def _delay(self, reason: DisconnectReason, shared: bool) -> float:
        """Return how long to wait, in seconds, and move to the next round."""
        policy, self._round = self._policy, self._round + 1
        if self._again_at_once:
            self._again_at_once, self._round = False, 0
            return 0.0
        if reason in UNHURRIED:
            return policy.maximum * (0.5 + self._fraction() / 2)
        if self._round == 1:
            self._shared = shared and reason not in OURS_ALONE
            return self._fraction() * policy.spread if self._shared else 0.0
        least_cap = SHARED_GROWTH * policy.spread if self._shared else 0.0
        cap = min(policy.maximum, max(least_cap, policy.minimum * GROWTH ** min(self._round - 1, 32)))
        return policy.minimum + self._fraction() * max(cap - policy.minimum, 0.0)

    def _wait(self, delay: float, reason: DisconnectReason, evidence: str, now: float) -> None:
        policy = self._policy
        began = now if self._trouble_since is None else self._trouble_since
        if policy.maximum_tries and self.tries >= policy.maximum_tries:
            failed = "the only try failed:" if self.tries == 1 else f"{self.tries} tries in a row failed; the last:"
            self._stop(ExitCode.GAVE_UP, f"{failed} {evidence}")
        elif policy.maximum_time and now + delay > began + policy.maximum_time:
            self._stop(ExitCode.GAVE_UP, f"no lasting tunnel in {policy.maximum_time:g} s; the last try: {evidence}")
        else:
            self.phase, self.deadline = Phase.WAITING, now + delay
            self._events.append(DialScheduled(self.tries + 1, round(delay, 3), reason, evidence))

    def _stop(self, exit_code: int, message: str) -> None:
        self.phase, self.deadline = Phase.STOPPED, None
        self._commands.append(GiveUp(exit_code, message))
        self._events.append(DialStopped(exit_code, message))

    def _fraction(self) -> float:
        return int.from_bytes(self._entropy(4)) / 2**32
