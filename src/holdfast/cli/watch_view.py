"""How `holdfast watch` speaks to people: lines for what happened, and on a terminal one living line a session."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from holdfast.cli.common import plain
from holdfast.watch.desk import Desk
from holdfast.watch.watched import SECOND, Watched

ROWS_MOST = 20
TOLD_MOST = 10_000
WORDS = {
    "WATCH_START": "watching",
    "WATCH_STOP": "stopped",
    "WATCH_UP": "up",
    "WATCH_END": "ended",
    "WATCH_FINDING": "SICK",
    "WATCH_FAILED": "FAILED",
    "WATCH_RECURRING": "AGAIN",
    "WATCH_IMPAIRED": "impaired",
}
SERIOUS = frozenset({"WATCH_FINDING", "WATCH_FAILED", "WATCH_RECURRING", "WATCH_IMPAIRED"})


class Teller:
    """Says events for people. What was told of a session once is not told again at its end."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def lines(self, record: dict[str, Any]) -> Iterator[str]:
        """Yield an event as lines: who, what, why, what to do, and where the capture is."""
        event = record["event"]
        clock = str(record["ts"])[11:19]
        head = f"{clock}  {WORDS.get(event, event):8}  "
        if "client_ip" in record:
            user = f" {record['user']}" if record.get("user") else ""
            server = f" -> {record['server_ip']}" if "server_ip" in record else ""
            head += f"{record['client_ip']}{server}{user}: "
        first, *rest = _TELLERS.get(event, _other)(record)
        yield head + first
        key = (str(record.get("session")), str(record.get("finding")))
        if event == "WATCH_FAILED" and key in self._told:
            rest = [f"{record['why']} (told above)", *filter(None, [_kept(record)])]
        elif event == "WATCH_FINDING":
            self._told[key] = None
            if len(self._told) > TOLD_MOST:
                self._told.popitem(last=False)
        yield from (" " * 20 + line for line in rest)


def _finding(record: dict[str, Any]) -> list[str]:
    towards = f" [{record['direction']}]" if record["direction"] else ""
    lines = [f"{record['finding']} ({record['certainty']:.0%}): {record['title']}{towards}", record["why"]]
    if record["others"]:
        lines.append(f"also: {', '.join(record['others'])}")
    if record["windows_codes"]:
        lines.append(f"Windows shows: {', '.join(map(str, record['windows_codes']))}")
    return [*lines, *record["fixes"], *filter(None, [_kept(record)])]


def _kept(record: dict[str, Any]) -> str:
    return f"kept: {record['capture']}" if record["capture"] else ""


def _up(record: dict[str, Any]) -> list[str]:
    bits = f"MPPE {record['bits']} bits" if record["bits"] else "not encrypted"
    parts = [record["method"] or "no authentication seen", bits, record["peer_address"]]
    return [f"{', '.join(part for part in parts if part)}, after {record['seconds']:.2f} s"]


def _ended(record: dict[str, Any]) -> list[str]:
    way = f"{record['packets_in']} packets from the client, {record['packets_out']} to it"
    first = f"{record['finding'] or 'ended'} after {record['duration']:.0f} s, {way}"
    return [first, *filter(None, [record["why"]])]


def _again(record: dict[str, Any]) -> list[str]:
    return [f"{record['finding']}, {record['times']} times in {record['seconds']:.0f} s"]


def _impaired(record: dict[str, Any]) -> list[str]:
    return [record["detail"] + (f" ({record['lost']} unseen)" if record["lost"] else "")]


def _start(record: dict[str, Any]) -> list[str]:
    kept = f"; captures of failed sessions go to {record['directory']}" if record["directory"] else ""
    return [f"{record['listen']}{kept}"]


def _stop(record: dict[str, Any]) -> list[str]:
    counts = f"{record['packets']} packets, {record['sessions']} sessions judged, {record['failures']} failed"
    unseen = f", {record['lost']} packets unseen" if record["lost"] else ""
    return [f"after {record['seconds']:.0f} s: {counts}{unseen}"]


def _other(record: dict[str, Any]) -> list[str]:
    return [str(record.get("detail", ""))]


_TELLERS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "WATCH_START": _start,
    "WATCH_STOP": _stop,
    "WATCH_UP": _up,
    "WATCH_END": _ended,
    "WATCH_FINDING": _finding,
    "WATCH_FAILED": _finding,
    "WATCH_RECURRING": _again,
    "WATCH_IMPAIRED": _impaired,
}


class LiveTable:
    """The sessions that go on now, at the bottom of the terminal; what happened scrolls away above them."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._teller = Teller()
        self._live = Live(Text(""), console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def show(self, record: dict[str, Any]) -> None:
        """Print what happened."""
        style = "bold red" if record["event"] in SERIOUS else ""
        for number, line in enumerate(self._teller.lines(record)):
            self._console.print(Text(plain(line), style=style if number == 0 else ""))

    def look(self, desk: Desk) -> None:
        """Draw the sessions anew."""
        self._live.update(_table(desk, time.time_ns()), refresh=True)


def _table(desk: Desk, now: int) -> Table:
    going = [watched for watched in desk.watched.values() if watched.begun]
    table = Table(box=None, pad_edge=False, title_justify="left", title=f"{len(going)} sessions on {desk.interface}")
    for column in ("client", "server", "user", "state", "age", "packets", "silent"):
        table.add_column(column, overflow="fold")
    for watched in sorted(going, key=lambda one: -one.last)[:ROWS_MOST]:
        table.add_row(*map(Text, _row(watched, now)))
    if len(going) > ROWS_MOST:
        table.add_row(f"... and {len(going) - ROWS_MOST} more")
    return table


def _row(watched: Watched, now: int) -> tuple[str, ...]:
    client, server = watched.ends
    age, silent = ((now - then) // SECOND for then in (watched.born, watched.last))
    state = watched.state or "beginning"
    return client, server, plain(watched.user or "-"), state, f"{age} s", str(watched.packets), f"{max(silent, 0)} s"
