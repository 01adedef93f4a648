"""`holdfast watch`: the judgement of `diagnose`, session by session, on a live interface."""

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.common import UNITS, JsonOption, PortOption, StateOption, command_app, complain, plain
from holdfast.cli.output import harmless_json
from holdfast.cli.watch_view import LiveTable, Teller
from holdfast.control.codes import CONTROL_PORT
from holdfast.errors import HoldfastError
from holdfast.events import Event
from holdfast.observe.event_log import EventLog, LogOptions
from holdfast.observe.record import TimeWriter, build_record
from holdfast.observe.sinks.address import parse_sink
from holdfast.observe.sinks.make import make_sink
from holdfast.observe.sinks.runner import SinkRunner
from holdfast.watch.bpf import host_address
from holdfast.watch.service import Watch, WatchOptions
from holdfast.watch.shelf import Shelf, ShelfLimits

app = command_app("Judge every session on an interface while it happens.")

MEGABYTE = 1_000_000
LOG_NAME = "events.jsonl"
Record = dict[str, Any]

InterfaceOption = Annotated[
    str, typer.Option("-i", "--interface", metavar="IF", help="The interface; any is all of them.")
]
HostOption = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Only traffic of this IPv4 address.")]
ForOption = Annotated[str, typer.Option("--for", metavar="DURATION", help="Stop after 90, 90s, 10m or 2h.")]
KeepOption = Annotated[
    Path | None,
    typer.Option("--keep", metavar="DIR", help="Where captures of failed sessions go; STATE/watch without it."),
]
KeepFilesOption = Annotated[
    int, typer.Option("--keep-files", metavar="N", min=0, help="Captures kept at most; 0 keeps none.")
]
KeepSizeOption = Annotated[int, typer.Option("--keep-megabytes", metavar="N", min=1, help="Their size in all at most.")]
RingOption = Annotated[
    int, typer.Option("--ring", metavar="MB", min=1, max=1024, help="Memory shared with the kernel.")
]
LogOption = Annotated[
    Path | None, typer.Option("--log", metavar="FILE", help="Write the events there too, chained and signed.")
]
SinkOption = Annotated[
    list[str] | None,
    typer.Option("--sink", metavar="ADDRESS", help="Send the events there too, as log.sinks takes it; repeatable."),
]


@app.command(
    epilog="Examples:\n\n  holdfast watch -i eth0\n\n  holdfast watch -i eth0 --for 1h --json | jq .\n\n"
    "  holdfast watch -i eth0 --sink syslog+tls://log.example:6514\n\n"
    "Exit codes: 0 no session failed, 1 some did, 2 it cannot be watched."
)
def watch(
    state: StateOption,
    *,
    interface: InterfaceOption,
    host: HostOption = "",
    port: PortOption = None,
    duration: ForOption = "",
    keep: KeepOption = None,
    keep_files: KeepFilesOption = 200,
    keep_megabytes: KeepSizeOption = 50,
    ring: RingOption = 8,
    log: LogOption = None,
    sink: SinkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch an interface until Ctrl-C, SIGTERM or the end of --for. Needs CAP_NET_RAW (root has it).

    At the server, at a router in between, or at a client. Each session is judged when it ends, when it fails to come
    up, and when it goes sick; what failed is kept as a capture without user traffic and without secrets.
    """
    seconds = _seconds(duration)
    options = WatchOptions(interface, host_address(host) if host else "", seconds, ring << 20, port or CONTROL_PORT)
    folder = keep or state / "watch"
    with ExitStack() as stack:
        show, look = _shown(stack, as_json=as_json)
        report = _reporter(stack, log or (folder / LOG_NAME if sink else None), sink or [], show)
        shelf = None
        if keep_files:
            limits = ShelfLimits(keep_files, keep_megabytes * MEGABYTE)
            shelf = Shelf(folder, limits, lambda why: complain(HoldfastError(f"a capture was not kept: {why}")))
        desk = Watch(options, report, shelf, look=look).run()
    if desk.tally.failures:
        raise typer.Exit(1)


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    found = re.fullmatch(r"(\d{1,9})([smhdw]?)", text)
    if found is None or not int(found[1]):
        raise HoldfastError("this is no duration", where=f"--for {text}", fix="For example 90s, 10m or 2h.")
    return float(int(found[1]) * UNITS[found[2] or "s"])


def _reporter(
    stack: ExitStack, path: Path | None, sinks: list[str], show: Callable[[Record], None]
) -> Callable[[Event, Mapping[str, Any]], None]:
    """Return what takes each event: to the terminal, and into a log when there is one."""
    if path is None:
        stamp = TimeWriter()
        return lambda event, context: show(build_record(event, context, stamp(time.time())))
    try:
        made = [make_sink(parse_sink(text)) for text in sinks]
    except ValueError as error:
        raise HoldfastError(str(error), where="--sink") from None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = LogOptions(connect=lambda log: [SinkRunner(one, log.tell) for one in made])
    log = EventLog(path, options=options)
    stack.callback(log.close)
    log.listeners.append(lambda record: show(record) if record["event"].startswith("WATCH_") else None)
    return log.emit


def _shown(stack: ExitStack, *, as_json: bool) -> tuple[Callable[[Record], None], Callable[[Any], None]]:
    """Return what shows a record, and what looks at the desk a few times a second."""
    if as_json:
        return _print_record, lambda _desk: None
    if sys.stdout.isatty():
        table = stack.enter_context(LiveTable())
        return table.show, table.look
    teller = Teller()

    def show(record: Record) -> None:
        sys.stdout.write("".join(f"{plain(line)}\n" for line in teller.lines(record)))
        sys.stdout.flush()

    return show, lambda _desk: None


def _print_record(record: Record) -> None:
    sys.stdout.write(harmless_json(json.dumps(record, ensure_ascii=False, default=str)) + "\n")
    sys.stdout.flush()
