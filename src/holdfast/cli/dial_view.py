"""A picture of the wait: one live line a tunnel on a terminal, plain lines of log elsewhere."""

import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from holdfast.cli.common import plain
from holdfast.dialer.dialer import Dialer
from holdfast.dialer.phases import Phase as Step_
from holdfast.dialer.phases import Step
from holdfast.dialer.reconnect import Phase
from holdfast.dialer.service import View

WIDE = 150
"""Columns from which on state and phases stand side by side."""
REFRESH = 4
"""Times a second that the live lines are drawn anew, for the clocks in them."""
QUIET = {"LCP_UP", "AUTH_SUCCESS", "MPPE_UP", "IP_UP", "CALL_UP", "CONTROL_UP", "CONNECT", "CALL_CLEARED", "LINK_DOWN"}
"""Facts that the phases tell already."""
REMEMBERED = {
    "DIAL_WAIT",
    "DIAL_STOP",
    "DIAL_NOTE",
    "CARRIER_CHANGE",
    "FIREWALL_LOST",
    "PROBE_FAILED",
    "PROBE_RECOVERED",
}
"""Facts of which the last one stands below the live line."""


@contextmanager
def view_for(stream: TextIO) -> Iterator[View]:
    """Choose the picture that fits where the output goes."""
    if not stream.isatty():
        yield View(record=print_record)
        return
    console = Console(file=stream)
    picture = Picture(wide=console.width >= WIDE)
    drawn = Live(get_renderable=picture.table, console=console, refresh_per_second=REFRESH, transient=False)
    with _silent_keys(), drawn:
        yield View(begun=picture.begin, step=lambda _dialer, _step: None, record=picture.note)


@contextmanager
def _silent_keys() -> Iterator[None]:
    """Keep what is typed (above all the ^C) out of the lines that are drawn again and again."""
    try:
        before = termios.tcgetattr(sys.stdin)
    except (termios.error, OSError, ValueError):
        yield
        return
    changed = [*before]
    changed[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSANOW, changed)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def print_record(record: dict[str, Any]) -> None:
    """Print one fact as a line of log."""
    line = sentence(record)
    if line:
        sys.stdout.write(f"{record['ts']} {plain(str(record.get('tunnel', '-')))}: {line}\n")
        sys.stdout.flush()


def sentence(record: dict[str, Any]) -> str:
    """Return what a record says, in words; nothing for what is said elsewhere."""
    if record["event"] in QUIET:
        return ""
    words = _WORDS.get(record["event"])
    if words is not None:
        fields = {key: plain(str(value)) for key, value in record.items()}
        return words.format_map({**fields, "done": "taken back" if record.get("undone") else "set"})
    rest = {key: value for key, value in record.items() if key not in {"ts", "event", "severity", "tunnel"}}
    return f"{record['event']} " + " ".join(f"{key}={plain(str(value))}" for key, value in rest.items())


_WORDS = {
    "DIAL_PHASE": "{phase} after {milliseconds} ms: {detail}",
    "DIAL_WAIT": "down: {evidence} [{reason}]; try {number} in {delay} s",
    "DIAL_STOP": "stopped: {message}",
    "DIAL_NOTE": "{detail}",
    "PROBE_FAILED": "the probe {probe} failed {failures} times in a row: {evidence}",
    "PROBE_RECOVERED": "the probe {probe} is well again after {duration} s: {detail}",
    "CARRIER_CHANGE": "{detail}",
    "PATH_MTU": "the MTU is {mtu}: {detail}",
    "HOST_CHANGE": "{done}: {detail}",
    "FIREWALL_LOST": "{table} was open for {open_seconds} s at most ({missing} taken away): {detail}",
    "TEARDOWN": "ended: {evidence} [{reason}], {duration} s",
}


@dataclass
class Picture:
    """The live lines of all tunnels, and the last thing worth knowing. `wide`: there is room for all in one line."""

    wide: bool = True
    dialers: list[Dialer] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=dict)

    def begin(self, dialers: list[Dialer]) -> None:
        """Show these."""
        self.dialers = dialers

    def note(self, record: dict[str, Any]) -> None:
        """Remember the last sentence of each tunnel."""
        if record["event"] in REMEMBERED:
            self.last[str(record.get("tunnel"))] = sentence(record)

    def table(self) -> Table:
        """Return the lines."""
        table = Table.grid(padding=(0, 1))
        for dialer in self.dialers:
            status = dialer.status()
            done = phases(dialer.steps, waiting=status["state"] == Phase.TRYING)
            state = state_text(status)
            name = Text(dialer.settings.name, style="bold")
            if self.wide:
                table.add_row(name, Text.assemble(state, "  ", done))
            else:
                table.add_row(name, state)
                table.add_row("", done)
            if said := self.last.get(dialer.settings.name):
                table.add_row("", Text(said, style="dim"))
        return table


def state_text(status: dict[str, Any]) -> Text:
    """Return the state of a tunnel with its clock."""
    seconds = status["seconds_in_state"]
    if status["state"] == Phase.UP and status["up"]:
        up = status["up"]
        secrecy = up["encryption"] or "NOT ENCRYPTED"
        words = f"up {_clock(seconds)}  {plain(up['local'])}  {secrecy}  MTU {up['mtu']}"
        return Text(words, style="green" if up["encryption"] else "red")
    if status["next_try_in"] is not None:
        return Text(f"down, next try in {status['next_try_in']:.0f} s", style="yellow")
    return Text(f"{status['state']} {seconds:.0f} s", style="cyan")


def phases(steps: Sequence[Step], *, waiting: bool = False) -> Text:
    """Return the phases that are done, each with its milliseconds; while `waiting` also the one that comes next."""
    words = [f"✓ {step.phase} {step.milliseconds:.0f}" for step in steps]
    if waiting:
        order = list(Step_)
        words += [f"… {coming}" for coming in order[order.index(steps[-1].phase) + 1 if steps else 0 :][:1]]
    return Text("  ".join(words))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
