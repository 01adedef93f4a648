"""`holdfast serve`: run the gateway."""

import asyncio
import sys
from typing import Any

import typer

from holdfast import __version__
from holdfast.cli.common import ConfigOption, StateOption, plain
from holdfast.cli.output import print_text
from holdfast.config import load
from holdfast.gateway.service import Started
from holdfast.gateway.service import serve as run_gateway
from holdfast.observe.retention import PROOF
from holdfast.observe.sinks.lines import text_of

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
    asyncio.run(run_gateway(loaded, state, _announce, (_print_record,)))


def _announce(started: Started) -> None:
    addresses = started.config.addresses
    pool = ", ".join(map(str, addresses.pool))
    lines = [
        f"Holdfast {__version__} listens on {', '.join(started.listen)}",
        f"  clients get     {pool} (gateway {addresses.gateway}), NAT {'on' if addresses.nat else 'off'}",
        f"  state           {started.state}",
    ]
    if started.first_user is not None:
        password = started.first_user.password.reveal().decode()
        lines.append(f"  first user      {started.first_user.name}, password {password}")
        lines.append("                  (shown this once; holdfast user passwd changes it)")
    lines += [f"  taken back      {undone} (left by a gateway that was killed)" for undone in started.recovered]
    print_text("\n".join(lines))
    sys.stdout.flush()


def _print_record(record: dict[str, Any]) -> None:
    if record["event"] not in PROOF:
        sys.stdout.write(f"{record['ts']} {plain(text_of(record))}\n")
        sys.stdout.flush()
