"""`holdfast serve`: run the gateway."""

import asyncio
import gc
import sys
from pathlib import Path
from typing import Any

import typer

from holdfast import __version__
from holdfast.cli.common import ConfigOption, StateOption, plain
from holdfast.cli.output import print_text
from holdfast.config import Config, load
from holdfast.gateway.service import Started
from holdfast.gateway.service import serve as run_gateway
from holdfast.observe.retention import PROOF
from holdfast.observe.sinks.lines import text_of
from holdfast.policy.files import make_private_file
from holdfast.policy.first_start import FirstUser
from holdfast.systemd import journal_keeps

STANDARD_OUTPUT = 1
FIRST_USER_FILE = "first-password"

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Examples:\n\n  holdfast serve\n\n  holdfast serve --config /etc/holdfast.toml --state /srv/holdfast"
)
def serve(state: StateOption, config: ConfigOption = None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C.

    Needs CAP_NET_ADMIN and CAP_NET_RAW (root has them). What it changes on this host, it takes back when it ends;
    after a kill -9 the next start does that.
    """
    loaded = load(config)
    for warning in loaded.warnings:
        sys.stderr.write(f"warning: {plain(warning.text(str(loaded.file)))}\n")
    listeners = (_print_record,) if _may_name_people(loaded.config) else ()
    try:
        # `gc.freeze`: nothing large is made once the gateway stops. To look for garbage among thousands of sessions,
        # while clients are told goodbye and again when the interpreter ends, takes seconds for which all of them wait.
        asyncio.run(run_gateway(loaded, state, _announce, listeners, gc.freeze))
    finally:
        gc.freeze()


def _may_name_people(config: Config) -> bool:
    """Whether facts may be printed as they are: what a terminal shows is gone, what anything else takes may stay."""
    return sys.stdout.isatty() or not config.log.pseudonyms


def _announce(started: Started) -> None:
    addresses = started.config.addresses
    pool = ", ".join(map(str, addresses.pool))
    lines = [
        f"Holdfast {__version__} listens on {', '.join(started.listen)}",
        f"  clients get     {pool} (gateway {addresses.gateway}), NAT {'on' if addresses.nat else 'off'}",
        f"  state           {started.state}",
    ]
    if started.first_user is not None:
        lines += _first_user(started.first_user, started.state)
    if not _may_name_people(started.config):
        lines.append("  events          in the log alone, since here they would name people (log.pseudonyms)")
    lines += [f"  taken back      {undone} (left by a gateway that was killed)" for undone in started.recovered]
    print_text("\n".join(lines))
    sys.stdout.flush()


def _first_user(user: FirstUser, state: Path) -> list[str]:
    """Show the password, but not to a journal, which would keep it: there a file gets it."""
    password = user.password.reveal().decode()
    if not journal_keeps(STANDARD_OUTPUT):
        shown = f"  first user      {user.name}, password {password}"
        return [shown, "                  (shown this once; holdfast user passwd changes it)"]
    file = state / FIRST_USER_FILE
    file.unlink(missing_ok=True)
    make_private_file(file, password.encode() + b"\n")
    return [f"  first user      {user.name}, password in {file} (read it, then delete it)"]


def _print_record(record: dict[str, Any]) -> None:
    if record["event"] not in PROOF:
        sys.stdout.write(f"{record['ts']} {plain(text_of(record))}\n")
        sys.stdout.flush()
