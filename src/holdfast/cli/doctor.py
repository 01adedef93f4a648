"""`holdfast doctor`: is this host fit for PPTP? Each line a check with its verdict, the evidence and the fix."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import summarize_address_range
from pathlib import Path
from typing import Annotated

import typer

from holdfast.advise import doctor as lists
from holdfast.advise.check import Check, Verdict, worst
from holdfast.advise.doctor import HostRole
from holdfast.advise.facts import Daemon
from holdfast.advise.reach import Reach, resolve, try_server
from holdfast.advise.read_host import HostReader
from holdfast.cli.common import ConfigOption, JsonOption
from holdfast.cli.output import print_json, print_text
from holdfast.config import Config, load
from holdfast.errors import HoldfastError

app = typer.Typer(add_completion=False)

MARKS = {Verdict.OK: "ok", Verdict.WARNING: "WARNING", Verdict.FAULT: "FAULT", Verdict.UNKNOWN: "unknown"}
INDENT = " " * 9


@app.command(
    epilog="Examples:\n\n  holdfast doctor --role server\n\n  holdfast doctor --role client --server vpn.example\n\n"
    "  holdfast doctor --role nat-router --json\n\n"
    "Exit codes: 0 nothing was found, 1 a fault or a warning, 2 the checks could not be made."
)
def doctor(
    role: Annotated[HostRole, typer.Option("--role", help="What this host is for PPTP.")],
    server: Annotated[str, typer.Option("--server", metavar="HOST", help="The server that a client uses.")] = "",
    config: ConfigOption = None,
    *,
    call: Annotated[
        bool, typer.Option("--call/--no-call", help="Make a call to the server and send GRE; nobody logs in.")
    ] = True,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", min=0.5, max=60, help="How long each answer may take.")
    ] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Check this host: kernel, port, forwarding, firewall, NAT, connection tracking, MTU, logs; for a client the way.

    Works for hosts with pptpd and accel-ppp as well as with Holdfast. Nothing is changed. What only root may see is
    said to be unknown.
    """
    if role is HostRole.CLIENT:
        checks = _client(server, call=call, patience=patience)
    elif server:
        raise HoldfastError("only a client has a server", where="--server", fix="Use --role client.")
    elif role is HostRole.SERVER:
        checks = _server(config)
    else:
        checks = list(lists.examine_router(HostReader().read(daemon=Daemon("router", echo_interval=None))))
    if as_json:
        found = worst(checks)
        print_json({"role": role.value, "verdict": found.value, "checks": [check.plain() for check in checks]})
    else:
        print_text("\n".join(_lines(checks)))
    if worst(checks) is not Verdict.OK:
        raise typer.Exit(1)


def _server(config: Path | None) -> list[Check]:
    own, reader = _holdfast(load(config).config), HostReader()
    facts = reader.read(daemon=own if config else None)
    if facts.daemon.name == own.name:
        facts = replace(facts, daemon=own)
    return list(lists.examine_server(facts))


def _client(server: str, *, call: bool, patience: float) -> list[Check]:
    if not server:
        raise HoldfastError(
            "a client needs its server", where="--server", fix="holdfast doctor --role client --server HOST"
        )
    reach: Reach | None = None
    try:
        address = resolve(server)[0]
    except OSError:
        return list(lists.examine_client(HostReader().read(daemon=Daemon("client")), server, None))
    # The host as it is before the try, whose packets would fill the tables.
    reader = HostReader()
    facts = reader.read(server=address, daemon=reader.peer(server))
    reach = try_server(address, call=call, patience=patience)
    return list(lists.examine_client(facts, server, reach, called=call))


def _holdfast(config: Config) -> Daemon:
    pools = tuple(
        network
        for pool in config.addresses.pool
        for network in summarize_address_range(pool.first, pool.last)
        if network.version == 4
    )
    nat = {"nat"} if config.addresses.nat else set()
    table = {"table"} if config.addresses.nat or config.filters else set()
    return Daemon(
        "holdfast",
        "the configuration",
        pools,
        config.gateway.tun_name,
        config.ppp.lcp_echo_interval,
        config.ppp.mtu,
        frozenset({"forwarding", "mss"} | nat | table),
    )


def _lines(checks: Sequence[Check]) -> list[str]:
    lines = []
    for check in checks:
        lines.append(f"{MARKS[check.verdict]:<8} {check.title}  [{check.id}]")
        if check.evidence and check.verdict is not Verdict.OK:
            lines.append(f"{INDENT}seen: {check.evidence}")
        lines += [f"{INDENT}fix:  {fix}" for fix in check.fixes]
    counts = [f"{sum(check.verdict is one for check in checks)} {one.value}" for one in Verdict]
    return [*lines, "", ", ".join(counts)]
