"""`holdfast sessions`: who is connected."""

from typing import Any

import typer

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_table, print_text

app = typer.Typer(add_completion=False)

COLUMNS = ("session", "user", "client", "address", "since", "state", "encryption", "in", "out", "rtt", "loss", "idle")


@app.command(epilog="Examples:\n\n  holdfast sessions\n\n  holdfast sessions --json | jq '.[].user'")
def sessions(state: StateOption, as_json: JsonOption = False) -> None:
    """Show who is connected to the running gateway, oldest first.

    Octets are those of user packets, in from the client and out to it; idle counts from the last user packet;
    loss is the share of the client's GRE packets that never came.
    """
    listed: list[dict[str, Any]] = ask(state, "sessions")
    if as_json:
        print_json(listed)
    elif listed:
        print_table(COLUMNS, [_row(session) for session in listed])
    else:
        print_text("nobody is connected")


def _row(session: dict[str, Any]) -> tuple[object, ...]:
    counters = session["counters"]
    rtt = counters["round_trip_time"]
    return (
        session["id"],
        session["user"] or None,
        session["client_ip"],
        session["address"] or None,
        session["since"],
        session["state"] if session["state"] != "setup" else f"setup: {session['phase']}",
        _encryption(session),
        octets(counters["bytes_in"]),
        octets(counters["bytes_out"]),
        f"{rtt * 1000:.1f} ms" if rtt else None,
        _share(session.get("loss")),
        duration(session["idle"]),
    )


def _encryption(session: dict[str, Any]) -> str | None:
    bits = session.get("mppe_bits")
    return f"MPPE {bits} {session['mppe_mode']}" if bits else None


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
