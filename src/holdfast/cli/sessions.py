"""`holdfast sessions`: who is connected."""

import sys
from datetime import datetime
from typing import Any

import typer

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_table, print_text

app = typer.Typer(add_completion=False)

COLUMNS = ("session", "user", "client", "address", "since", "state", "encryption", "in", "out", "rtt", "loss", "idle")

SPARE = ("encryption", "out", "in", "state", "loss", "client", "rtt")
"""What a narrow terminal is spared, the first of them first."""


@app.command(epilog="Examples:\n\n  holdfast sessions\n\n  holdfast sessions --json | jq '.[].user'")
def sessions(state: StateOption, as_json: JsonOption = False) -> None:
    """Show who is connected to the running gateway, oldest first.

    Octets are those of user packets, in from the client and out to it; idle counts from the last user packet;
    loss is the share of the client's GRE packets that never came; rtt is that of the last LCP echo, or where none was
    needed yet (a client that sends all the time is not asked) that of the control connection, with the word tcp.
    """
    listed: list[dict[str, Any]] = ask(state, "sessions")
    if as_json:
        print_json(listed)
    elif listed:
        print_table(COLUMNS, [_row(session) for session in listed], SPARE)
    else:
        print_text("nobody is connected")


def _row(session: dict[str, Any]) -> tuple[object, ...]:
    counters = session["counters"]
    return (
        session["id"],
        session["user"] or None,
        session["client_ip"],
        session["address"] or None,
        _since(session["since"]),
        session["state"] if session["state"] != "setup" else f"setup: {session['phase']}",
        _encryption(session),
        octets(counters["bytes_in"]),
        octets(counters["bytes_out"]),
        _round_trip(session),
        _share(session.get("loss")),
        duration(session["idle"]),
    )


def _since(stamp: str) -> str:
    """Write a moment for the person at this terminal, in the time of this machine; a pipe gets it whole."""
    if not sys.stdout.isatty():
        return stamp
    at = datetime.fromisoformat(stamp).astimezone()
    return f"{at:%H:%M:%S}" if at.date() == datetime.now().astimezone().date() else f"{at:%Y-%m-%d %H:%M}"


def _encryption(session: dict[str, Any]) -> str | None:
    bits = session.get("mppe_bits")
    return f"MPPE {bits} {session['mppe_mode']}" if bits else None


def _round_trip(session: dict[str, Any]) -> str | None:
    """By LCP echo; a client that sends all the time is never asked, then by TCP of its control connection."""
    if rtt := session["counters"]["round_trip_time"]:
        return f"{rtt * 1000:.1f} ms"
    direct = session.get("paths", {}).get("direct_round_trip")
    return f"{direct * 1000:.1f} ms tcp" if direct else None


def _share(part: float | None) -> str | None:
    return None if part is None else f"{part * 100:.1f} %"


def octets(count: int) -> str:
    """Write a count of octets as people read it."""
    size = float(count)
    for unit in ("", " k", " M", " G"):
        if size < 1000:
            return f"{size:.0f}{unit}" if not unit else f"{size:.1f}{unit}"
        size /= 1000
    return f"{size:.1f} T"


def duration(seconds: float | None) -> str | None:
    """Write seconds as people read them."""
    if seconds is None:
        return None
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
