"""The event log as the running gateway shows it, for those who may ask it and may not read its files."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from holdfast.cli.gateway_socket import ask
from holdfast.observe.reader import POLL, Line, Query

FIRST_WINDOW = 1000
"""Lines before the end in which the newest wanted ones are looked for first; then four times as many, and so on."""


class LogOverSocket:
    """Asks page by page. HoldfastError when the gateway does not answer or does not allow it."""

    def __init__(self, state: Path, query: Query) -> None:
        self._state, self._wanted = state, _plain(query)
        span = ask(state, "events", **self._wanted)
        self._begin, self._end = int(span["begin"]), int(span["end"])

    def last(self, count: int) -> Iterator[Line]:
        """Yield the last `count` wanted lines, oldest of them first; 0: all of them."""
        if not count:
            yield from self._between(self._begin, self._end)
            return
        found: list[Line] = []
        low, window = self._end, FIRST_WINDOW
        while low > self._begin and len(found) < count:
            high, low, window = low, max(self._begin, low - window), 4 * window
            found = [*self._between(low, high), *found]
        yield from found[-count:]

    def follow(self) -> Iterator[Line]:
        """Yield wanted lines from here on, as they are written."""
        at = self._end
        while True:
            page = self._page(at, 0)
            yield from map(_line, page["lines"])
            at = page["looked_to"]
            if not page["more"]:
                time.sleep(POLL)

    def _between(self, after: int, to: int) -> Iterator[Line]:
        more = after < to
        while more:
            page = self._page(after, to)
            yield from map(_line, page["lines"])
            after, more = page["looked_to"], page["more"]

    def _page(self, after: int, to: int) -> dict[str, Any]:
        page: dict[str, Any] = ask(self._state, "events", after=after, to=to, **self._wanted)
        return page


def _plain(query: Query) -> dict[str, Any]:
    return {
        "users": sorted(query.users),
        "session": query.session,
        "events": sorted(query.events),
        "severity": query.severity.value,
        "since": query.since.isoformat() if query.since else "",
        "until": query.until.isoformat() if query.until else "",
    }


def _line(text: str) -> Line:
    return text.encode(), json.loads(text)
