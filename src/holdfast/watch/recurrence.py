"""The same trouble of one client again and again: flapping, guessed passwords, a path that fails."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from holdfast.events import WatchedAgain

SUBJECTS_MOST = 2000
WITHIN = 600 * 1_000_000_000
TIMES = 3
FLAPS = 5
SHORT = 120.0
FLAPPING, BRUTE_FORCE = "flapping", "brute-force"
GUESSES = 5


@dataclass(slots=True)
class _History:
    ends: deque[tuple[int, str, str]] = field(default_factory=lambda: deque(maxlen=64))
    """When, finding, capture."""
    told: dict[str, int] = field(default_factory=dict)


class Recurrence:
    """Remembers how sessions ended, by client. Times in nanoseconds."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _History] = OrderedDict()

    def ended(self, now: int, client: str, finding: str, capture: str, duration: float) -> list[WatchedAgain]:
        """Take the end of a session (`finding` empty: it was well); return what is now worth telling."""
        history = self._known.setdefault(client, _History())
        self._known.move_to_end(client)
        if len(self._known) > SUBJECTS_MOST:
            self._known.popitem(last=False)
        if finding:
            history.ends.append((now, finding, capture))
        elif duration < SHORT:
            history.ends.append((now, "", ""))
        words = [(finding, finding, TIMES)] if finding else []
        words += [(BRUTE_FORCE, finding, GUESSES)] if finding == "auth-rejected" else []
        found = (_again(now, client, history, rule) for rule in [*words, (FLAPPING, "", FLAPS)])
        return [event for event in found if event is not None]


def _again(now: int, client: str, history: _History, rule: tuple[str, str, int]) -> WatchedAgain | None:
    """Tell what came often enough (word, finding or "" for any, how often), once within the time."""
    word, finding, least = rule
    near = [end for end in history.ends if now - end[0] <= WITHIN and finding in ("", end[1])]
    if len(near) < least or now - history.told.get(word, -WITHIN - 1) <= WITHIN:
        return None
    history.told[word] = now
    captures = tuple(capture for _, _, capture in near if capture)
    return WatchedAgain(client, word, len(near), round((now - near[0][0]) / 1e9, 1), captures)
