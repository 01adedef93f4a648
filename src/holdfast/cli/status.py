"""`holdfast status`: how the gateway is."""

from typing import Any

import typer

from holdfast.cli.common import JsonOption, StateOption, negative
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_text
from holdfast.cli.sessions import duration, octets
from holdfast.errors import NotRunningError

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples:\n\n  holdfast status\n\n  holdfast status --json")
def status(state: StateOption, as_json: JsonOption = False) -> None:
    """Show how the running gateway is. Exit code 1 when none runs with this state directory."""
    with negative(NotRunningError):
        answer: dict[str, Any] = ask(state, "status")
    if as_json:
        print_json(answer)
    else:
        print_text("\n".join(_lines(answer)))


def _lines(answer: dict[str, Any]) -> list[str]:
    sessions, addresses, engine = answer["sessions"], answer["addresses"], answer["engine"]
    by_state = ", ".join(f"{count} {name}" for name, count in sessions.items()) or "none"
    drops = ", ".join(f"{count} {cause}" for cause, count in engine["drops"].items() if count) or "none"
    log = answer["event_log"]
    lines = [
        f"Holdfast {answer['version']}, process {answer['pid']}, up {duration(answer['uptime'])}",
        f"  listens on    {', '.join(answer['listen'])}",
        f"  sessions      {by_state}",
        f"  connections   {answer['connections']}",
        f"  addresses     {addresses['used']} of {addresses['size']} in use",
        f"  in            {engine['packets_in']} packets, {octets(engine['bytes_in'])} octets",
        f"  out           {engine['packets_out']} packets, {octets(engine['bytes_out'])} octets",
        f"  dropped       {drops}",
    ]
    lines += [_radius(one) for one in answer.get("radius", ())]
    lines += _accounting(answer.get("accounting") or {})
    if answer["draining"]:
        lines.append("  leaving       no new sessions are taken")
    if log["failed"] or log["dropped"]:
        lines.append(f"  event log     {log['dropped']} facts lost; {log['failed']}")
    return lines


def _accounting(state: dict[str, Any]) -> list[str]:
    if not state:
        return []
    silent = "; no server takes any" if state["silent"] else ""
    records = (
        f"{state['sessions']} sessions; {state['waiting']} records wait, {state['aside']} of them set aside{silent}"
    )
    return [f"  accounting    {records}", *(_radius(one, "accounting") for one in state["servers"])]


def _radius(server: dict[str, Any], label: str = "RADIUS") -> str:
    how = "down" if server["down"] else "up"
    dropped = f"{server['refused']} answers not to be trusted, {server['strays']} to nothing"
    return f"  {label:<13} {server['server']} {how}, {server['waiting']} waiting; dropped: {dropped}"
