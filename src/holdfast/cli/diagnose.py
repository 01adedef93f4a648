"""`holdfast diagnose`: from a capture to the cause, the evidence and the fix. Needs no rights beyond reading it."""

import gc
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast.capture import reading
from holdfast.capture.diagnosis import Comparison, Diagnosis, Verdict, compare_ends
from holdfast.capture.diagnosis import diagnose as judge_captures
from holdfast.capture.findings.base import Severity
from holdfast.capture.inside import nt_hash_of
from holdfast.capture.logs.judge import Log, read_log, worst
from holdfast.capture.pcapng_writer import write as write_pcapng
from holdfast.capture.text_report import WIDTH, render, render_comparison, render_log
from holdfast.cli.common import LONGEST_LINE, JsonOption, PortOption, ask_secret, command_app, read_secret_line
from holdfast.cli.output import print_json, print_text
from holdfast.errors import HoldfastError
from holdfast.secret import Secret

app = command_app("From a capture to the cause, the evidence and the fix.")

FilesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE...",
        help="Captures (pcap or pcapng, plain, gzip or zstd), read as one in the order of time; - is standard input.",
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write one self-contained page with a ladder diagram of each session."),
]

ClientOption = Annotated[
    list[str] | None, typer.Option("--client", metavar="FILE", help="A capture made at the client; needs --server.")
]
ServerOption = Annotated[
    list[str] | None,
    typer.Option("--server", metavar="FILE", help="A capture of the same time made at the server: both are compared."),
]
LogOption = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        metavar="FILE",
        help="A log of pppd, pptpd, pptp-linux, accel-ppp, RouterOS, Windows, FreeRADIUS or Holdfast; - is standard "
        "input. Alone, or beside a capture of the same time.",
    ),
]
StdinOption = Annotated[
    bool,
    typer.Option("--password-stdin", help="Look inside: read the user's own password from standard input."),
]
AskOption = Annotated[
    bool, typer.Option("--ask-password", help="Look inside: ask for the user's own password at the terminal.")
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Look inside: the password in the first line of FILE."),
]
HashFileOption = Annotated[
    Path | None,
    typer.Option("--nt-hash-file", metavar="FILE", help="Look inside: the NT hash (32 hexadecimal digits) in FILE."),
]
UserOption = Annotated[
    str, typer.Option("--user", metavar="NAME", help="Try the password on sessions of this user only.")
]
DecryptedOption = Annotated[
    Path | None,
    typer.Option("--decrypted", metavar="FILE", help="Write what the password opened as a pcapng of raw IP."),
]

NT_HASH_SIZE = 16
WIDEST = 120
"""Columns beyond which lines are hard to read."""
BAR_FROM = 64 << 20
"""Octets from which on a file deserves a progress bar."""


@app.command(
    epilog="Examples:\n\n  holdfast diagnose capture.pcap\n\n  holdfast diagnose --html report.html "
    "client.pcapng.gz\n\n  tcpdump -r old.pcap -w - 'tcp port 1723 or proto 47' | holdfast diagnose --json -\n\n"
    "Exit codes: 0 all is well or no PPTP in it, 1 something was found, 2 not readable."
)
def diagnose(
    files: FilesArgument = None,
    *,
    client: ClientOption = None,
    server: ServerOption = None,
    log: LogOption = None,
    html: HtmlOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
    password_stdin: StdinOption = False,
    ask_password: AskOption = False,
    password_file: PasswordFileOption = None,
    nt_hash_file: HashFileOption = None,
    user: UserOption = "",
    decrypted: DecryptedOption = None,
) -> None:
    """Say what is wrong in a capture, how sure that is, which frames show it, and what to do."""
    gc.disable()  # one judgement, then the process ends: collecting cycles would only cost time
    if client or server:
        _compare(files, client or [], server or [], html=html, port=port, as_json=as_json)
    if [*(log or []), *(files or [])].count(reading.STANDARD_INPUT) > 1:
        raise HoldfastError("standard input was named twice", fix="Only one file can come from there.")
    logs = [read_log(name) for name in log or []]
    if logs and not files:
        _judge_logs(logs, as_json=as_json)
    if not files:
        raise HoldfastError("no capture was named", fix="For example: holdfast diagnose capture.pcap")
    nt_hash = _nt_hash(password_stdin, ask_password, password_file, nt_hash_file)
    if decrypted is not None and nt_hash is None:
        raise HoldfastError("--decrypted needs a password or an NT hash", fix="For example: --password-file FILE")
    with _progress() as progress:
        diagnosis = judge_captures(files, nt_hash=nt_hash, user=user, logs=logs, port=port, progress=progress)
    if html is not None:
        _write_page(diagnosis, html)
    if decrypted is not None:
        _write_inside(diagnosis, decrypted)
    if as_json:
        print_json(diagnosis.as_data())
    else:
        print_text(render(diagnosis, _width()))
    if diagnosis.verdict is Verdict.FINDINGS:
        raise typer.Exit(1)


def _compare(
    files: list[str] | None,
    client: list[str],
    server: list[str],
    *,
    html: Path | None,
    port: int | None,
    as_json: bool,
) -> NoReturn:
    """Judge both ends, print, and end the command."""
    if files or not client or not server:
        raise HoldfastError("a comparison needs both ends and nothing else", fix="--client A.pcap --server B.pcap")
    with _progress() as progress:
        comparison = compare_ends(client, server, port=port, progress=progress)
    if html is not None:
        _write_page(comparison, html)
    if as_json:
        print_json(comparison.as_data())
    else:
        print_text(render_comparison(comparison, _width()))
    raise typer.Exit(1 if comparison.verdict is Verdict.FINDINGS else 0)


def _judge_logs(logs: list[Log], *, as_json: bool) -> NoReturn:
    """Print what logs say, and end the command."""
    bad = any(worst(log.sessions) not in (None, Severity.NOTE) for log in logs)
    if as_json:
        verdict = "findings" if bad else "healthy" if any(log.sessions for log in logs) else "nothing"
        print_json({"verdict": verdict, "logs": [log.as_data() for log in logs]})
    else:
        print_text("\n\n".join(map(render_log, logs)))
    raise typer.Exit(1 if bad else 0)


def _nt_hash(stdin: bool, ask: bool, password_file: Path | None, hash_file: Path | None) -> Secret | None:
    """Return the NT hash from the one place where the person gave it; None when there is none."""
    given = [bool(each) for each in (stdin, ask, password_file, hash_file)]
    if sum(given) > 1:
        raise HoldfastError("several passwords were given", fix="Give one: from a prompt, standard input or a file.")
    if hash_file is not None:
        return _read_hash(hash_file)
    if stdin:
        return nt_hash_of(Secret.from_text(read_secret_line()))
    if ask:
        return nt_hash_of(Secret.from_text(ask_secret("Password of the user", twice=False)))
    return nt_hash_of(Secret(_first_line(password_file))) if password_file is not None else None


def _read_hash(path: Path) -> Secret:
    try:
        octets = bytes.fromhex(_first_line(path).decode("ascii", "replace"))
    except ValueError:
        octets = b""
    if len(octets) != NT_HASH_SIZE:
        raise HoldfastError("this is no NT hash", where=str(path), fix="It has 32 hexadecimal digits.")
    return Secret(octets)


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline(LONGEST_LINE).rstrip(b"\r\n")
    except OSError as error:
        raise HoldfastError(f"it cannot be read: {error.strerror}", where=str(path)) from None


def _width() -> int:
    """Columns of the terminal; into a file or a pipe, what is good to read."""
    return min(shutil.get_terminal_size().columns, WIDEST) if sys.stdout.isatty() else WIDTH


def _write_inside(diagnosis: Diagnosis, path: Path) -> None:
    opened = [session.inside for session in diagnosis.case.sessions if session.inside is not None]
    packets = sorted((packet for inside in opened for packet in inside.packets), key=lambda packet: packet.moment)
    write_pcapng(path, packets)


def _write_page(judged: Diagnosis | Comparison, path: Path) -> None:
    from holdfast.capture.html_report import write  # noqa: PLC0415 - jinja2 is loaded only for a page

    write(judged, path)


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
