"""`holdfast diagnose`: from a capture to the cause, the evidence and the fix. Needs no rights beyond reading it."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast.capture import reading
from holdfast.capture.diagnosis import Diagnosis, Verdict
from holdfast.capture.diagnosis import diagnose as judge_captures
from holdfast.capture.text_report import render
from holdfast.cli.common import JsonOption, command_app
from holdfast.cli.output import print_json, print_text

app = command_app("From a capture to the cause, the evidence and the fix.")

FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Captures (pcap or pcapng, plain, gzip or zstd), read as one in the order of time; - is standard input.",
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write one self-contained page with a ladder diagram of each session."),
]

BAR_FROM = 64 << 20
"""Octets from which on a file deserves a progress bar."""


@app.command(
    epilog="Examples:\n\n  holdfast diagnose capture.pcap\n\n  holdfast diagnose --html report.html "
    "client.pcapng.gz\n\n  tcpdump -r old.pcap -w - 'tcp port 1723 or proto 47' | holdfast diagnose --json -\n\n"
    "Exit codes: 0 all is well or no PPTP in it, 1 something was found, 2 not readable."
)
def diagnose(files: FilesArgument, html: HtmlOption = None, as_json: JsonOption = False) -> None:
    """Say what is wrong in a capture, how sure that is, which frames show it, and what to do."""
    gc.disable()  # one judgement, then the process ends: collecting cycles would only cost time
    with _progress() as progress:
        diagnosis = judge_captures(files, progress=progress)
    if html is not None:
        _write_page(diagnosis, html)
    if as_json:
        print_json(diagnosis.as_data())
    else:
        print_text(render(diagnosis))
    if diagnosis.verdict is Verdict.FINDINGS:
        raise typer.Exit(1)


def _write_page(diagnosis: Diagnosis, path: Path) -> None:
    from holdfast.capture.html_report import write  # noqa: PLC0415 - jinja2 is loaded only for a page

    write(diagnosis, path)


@contextmanager
def _progress() -> Iterator[reading.Progress | None]:
    """Show a bar on a terminal, for long files only."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def advance(done: int, size: int | None) -> bool:
            if not bar.task_ids and (size is None or size >= BAR_FROM):
                bar.add_task("reading", total=size)
            for task in bar.task_ids:
                bar.update(task, completed=done)
            return True

        yield advance
