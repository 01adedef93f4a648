"""`holdfast record`: a live capture of one session."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from holdfast.cli.common import StateOption, plain
from holdfast.cli.gateway_socket import ask
from holdfast.errors import HoldfastError
from holdfast.observe.recorder_live import LiveCount, LiveLimits, open_tap
from holdfast.observe.recorder_live import record as capture
from holdfast.observe.recorder_packets import Ends

app = typer.Typer(add_completion=False)

LONGEST = 3600

SecondsOption = Annotated[
    float,
    typer.Option("--seconds", min=1, max=LONGEST, help="How long; Ctrl-C ends it sooner and keeps what there is."),
]
OutputOption = Annotated[
    str,
    typer.Option("--output", "-o", metavar="FILE", help="Where to; - is standard output. SESSION.pcapng without it."),
]
FullOption = Annotated[bool, typer.Option("--full", help="Keep user packets whole, not only their headers.")]
SizeOption = Annotated[int, typer.Option("--megabytes", min=1, max=10_000, help="Most that is written.")]


@app.command(
    epilog="Examples:\n\n  holdfast record 9f3a\n\n  holdfast record 9f3a --seconds 600 -o case.pcapng\n\n"
    "  holdfast record 9f3a -o - | wireshark -k -i -"
)
def record(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Its id, or the beginning or end of it.")],
    state: StateOption,
    *,
    seconds: SecondsOption = 60.0,
    output: OutputOption = "",
    full: FullOption = False,
    megabytes: SizeOption = 100,
) -> None:
    """Record one session off the wire into a pcapng file. Needs CAP_NET_RAW (root has it).

    Control messages and PPP negotiation are kept whole but for passwords, hashes and challenges, which become zeros.
    User packets are kept up to their PPP header; --full keeps them, encrypted where the session is.
    """
    found: dict[str, Any] = ask(state, "record", session=session, full=full)
    ends = Ends(found["client_ip"], found["server_ip"], found["local_call_id"], found["peer_call_id"])
    limits = LiveLimits(seconds, megabytes * 1_000_000, full)
    name = output or f"{found['id']}.pcapng"
    count = LiveCount()
    with open_tap(ends.client) as tap, _destination(name) as file, suppress(KeyboardInterrupt, BrokenPipeError):
        capture(tap, ends, limits, file.write, count)
    where = "standard output" if name == "-" else name
    full_up = ", and then it was full (--megabytes)" if count.stopped_by_size else ""
    sys.stderr.write(f"{count.packets} packets written to {plain(where)}{full_up}\n")


@contextmanager
def _destination(name: str) -> Iterator[BinaryIO]:
    """Open a new file that nobody else may read, or standard output, unbuffered, so that a viewer can follow."""
    if name == "-":
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0) as file:
            yield file
        return
    path = Path(name)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise HoldfastError("there is such a file already", where=name, fix="Name another: --output FILE.") from error
    except OSError as error:
        raise HoldfastError(f"cannot write: {error.strerror}", where=name) from error
    with os.fdopen(descriptor, "wb") as file:
        yield file
