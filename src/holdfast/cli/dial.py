"""`holdfast dial`: a tunnel that stays up, and how the running ones are."""

import asyncio
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.common import JsonOption, StateOption, ask_secret, plain, read_secret_line
from holdfast.cli.dial_view import view_for
from holdfast.cli.output import print_json, print_table, print_text
from holdfast.dialer import file, passwords, peers_file
from holdfast.dialer.metrics import MetricsSettings
from holdfast.dialer.peers_file import Level, Note
from holdfast.dialer.service import Wanted, clean, statuses
from holdfast.dialer.service import dial as keep_up
from holdfast.dialer.settings import RouteMode
from holdfast.errors import HoldfastError
from holdfast.ppp.config import MppePolicy
from holdfast.secret import Secret

app = typer.Typer(add_completion=False)

STATUS = "status"
EPILOG = (
    "Examples:\n\n  holdfast dial vpn.example --user alice --network 10.0.0.0/8\n\n"
    "  holdfast dial vpn.example --user alice --routes full --kill-switch --password-file FILE\n\n"
    "  holdfast dial --config /etc/holdfast/dial.toml\n\n  holdfast dial --peers /etc/ppp/peers/office --explain\n\n"
    "  holdfast dial status --json\n\n"
    "Exit codes: 0 told to stop; 1 gave up, a later try may do; 2 no try can do before something is changed: password, "
    "account, encryption, this host."
)


@app.command(epilog=EPILOG)
def dial(
    state: StateOption,
    host: Annotated[str, typer.Argument(help=f"The server's name or IPv4 address; or the word {STATUS}.")] = "",
    *,
    user: Annotated[str | None, typer.Option("--user", "-u", metavar="NAME", help="The user name.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="The password: one line on input.")] = False,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", metavar="FILE", help="The password: a file with mode 0600.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Tunnels in a TOML file.")] = None,
    peers: Annotated[
        Path | None, typer.Option("--peers", metavar="FILE", help="A peers file of pppd, and how it is understood.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="With --peers: only say how it is understood.")] = False,
    clean_up: Annotated[bool, typer.Option("--clean", help="Undo what killed dialers left, and stop.")] = False,
    as_json: JsonOption = False,
    name: Annotated[str, typer.Option("--name", help="What the tunnel is called here.")] = "default",
    interface: Annotated[str | None, typer.Option("--interface", help="The network interface to make.")] = None,
    routes: Annotated[RouteMode | None, typer.Option("--routes", help="What goes through; split by default.")] = None,
    network: Annotated[
        list[str] | None, typer.Option("--network", metavar="A.B.C.D/N", help="Through the tunnel; repeatable.")
    ] = None,
    kill_switch: Annotated[
        bool | None, typer.Option("--kill-switch", help="Nothing goes out beside the tunnel.", show_default=False)
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do not dial again when it is lost.")] = False,
    mppe: Annotated[MppePolicy | None, typer.Option("--mppe", help="Encryption; require by default.")] = None,
    others: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other key of the file; repeatable.")
    ] = None,
) -> None:
    """Bring a tunnel up and keep it up, until Ctrl-C or SIGTERM; `holdfast dial status` asks how it is.

    What is changed on this host (routes, name servers, firewall) is taken back when it ends, and by the next start
    or --clean after a kill -9.
    """
    given = {
        "user": user,
        "password_file": password_file,
        "interface": interface,
        "routes": routes,
        "networks": network,
        "kill_switch": kill_switch,
        "persist": False if once else None,
        "mppe": mppe,
    }
    if clean_up:
        _clean(state)
    elif host == STATUS:
        _status(state, as_json=as_json)
    elif config is not None:
        setup = file.load(config)
        raise typer.Exit(_run([_with_password(one, stdin=False) for one in setup.tunnels], state, setup.metrics))
    elif peers is not None:
        read = peers_file.load(peers)
        _explain(read.notes)
        if not explain:
            one = file.Configured(read.settings, password_file, None)
            raise typer.Exit(_run([_with_password(one, stdin=password_stdin)], state))
    else:
        section = {key: value for key, value in given.items() if value is not None}
        section = {"host": _needed(host), **section, **_set(others or ())}
        if not section.get("user"):
            raise HoldfastError("which user?", fix=f"holdfast dial {plain(host)} --user NAME")
        (one,) = file.validate({"tunnel": {name: section}}, "command line").tunnels
        raise typer.Exit(_run([_with_password(one, stdin=password_stdin)], state))


def _run(wanted: Sequence[Wanted], state: Path, metrics: MetricsSettings | None = None) -> int:
    with view_for(sys.stdout) as view:
        return asyncio.run(keep_up(wanted, state, view, metrics))


def _with_password(one: file.Configured, *, stdin: bool) -> Wanted:
    if one.password_file is not None:
        return Wanted(one.settings, passwords.from_file(one.password_file))
    if one.password_credential is not None:
        return Wanted(one.settings, passwords.from_credential(one.password_credential))
    text = read_secret_line() if stdin else ask_secret(f"Password of {one.settings.user}", twice=False)
    if not text:
        raise HoldfastError("the password is empty", fix="give it on the first line")
    return Wanted(one.settings, Secret.from_text(text))


def _needed(host: str) -> str:
    if not host:
        raise HoldfastError("which server?", fix="holdfast dial HOST --user NAME, or --config FILE, or --peers FILE")
    return host


def _set(assignments: Sequence[str]) -> dict[str, Any]:
    """Read `KEY=VALUE`; a value is TOML where it can be, else the text as it stands."""
    found: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.replace("_", "").isalnum():
            raise HoldfastError("write it as KEY=VALUE, such as mtu=1300", where=f"--set {plain(text)}")
        try:
            found[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key] = value
    return found


def _explain(notes: Sequence[Note]) -> None:
    for note in notes:
        mark = {Level.TAKEN: " ", Level.CORRECTED: "!", Level.IGNORED: "-", Level.UNKNOWN: "?"}[note.level]
        sys.stderr.write(f"{mark} {plain(note.place)}: {plain(note.written)}: {plain(note.meaning)}\n")


def _clean(state: Path) -> None:
    found = clean(state)
    lines = [f"{name}: {what}" for name, undone in found.undone.items() for what in undone]
    lines += [f"{name}: a dialer runs, and what it has changed stays" for name in found.running]
    if lines or not found.failed:
        print_text("\n".join(lines) if lines else "nothing was left to undo")
    for name, error in found.failed.items():
        sys.stderr.write(f"holdfast: {plain(name)}: {plain(error.text())}\n")
    if found.failed:
        raise typer.Exit(2)


def _status(state: Path, *, as_json: bool) -> None:
    found = statuses(state)
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("tunnel", "server", "state", "for", "address", "encryption", "in", "out", "probes", "last end"),
            map(_row, found),
        )
    else:
        sys.stderr.write("holdfast: no tunnel runs with this state directory\n")
    if not found:
        raise typer.Exit(1)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    up, counters, last = one["up"] or {}, one["counters"] or {}, one["last_end"] or {}
    return (
        one["name"],
        one["server"],
        one["state"],
        f"{one['seconds_in_state']:.0f} s",
        up.get("local"),
        up.get("encryption") or ("none" if up else None),
        counters.get("bytes_in"),
        counters.get("bytes_out"),
        _probes(one.get("probes", ())),
        last.get("reason"),
    )


def _probes(probes: Sequence[dict[str, Any]]) -> str | None:
    """Return how many probes are well, and each of the others by its name with what is wrong."""
    if not probes:
        return None
    bad = [one for one in probes if one["failed"] or (one["last"] and not one["last"]["ok"])]
    words = [f"{len(probes) - len(bad)} ok"]
    words += [f"{one['name']} {'failed' if one['failed'] else 'failing'} ({one['last']['result']})" for one in bad]
    return ", ".join(words)
