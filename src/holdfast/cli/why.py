"""`holdfast why`: what holds for a session, and where it came from."""

from typing import Annotated, Any

import typer

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_table, print_text

app = typer.Typer(add_completion=False)

OFF_AT_ZERO = {
    "lcp_echo_interval": "off",
    "idle_timeout": "never",
    "session_timeout": "any time",
    "time_warning": "never",
    "volume_limit": "any",
    "control_lost_grace": "none",
    "accounting_interval": "none",
    "sessions_per_user": "any number",
    "timeouts.heartbeats": "none",
    "limits.sessions": "any number",
    "limits.sessions_per_address": "any number",
    "hours": "always",
    "pool": "addresses.pool",
    "routes": "none",
    "filter": "none",
    "volume_limit_in": "any",
    "volume_limit_out": "any",
    "rate_up": "any",
    "rate_down": "any",
    "group": "none",
    "address": "none yet",
    "dns": "none",
    "wins": "none",
    "mtu": "not agreed yet",
    "client_wish": "no",
    "reauthenticate": "no",
    "mppe_bits": "none",
}
"""What nothing means, in words."""


@app.command(
    epilog="Examples:\n\n  holdfast why 019a2b3c4d5e6f7a8b9c0d\n\n  holdfast why 9c0d --json\n\n"
    "Every timer between client and gateway, ours and others': docs/tasks/timeouts.md"
)
def why(
    session: Annotated[
        str, typer.Argument(metavar="SESSION", help="An id of `holdfast sessions`, or enough of its beginning or end.")
    ],
    state: StateOption,
    as_json: JsonOption = False,
) -> None:
    """Show what holds for a session and where each value came from: default, preset, file, group, user or RADIUS."""
    answer: dict[str, Any] = ask(state, "why", session=session)
    if as_json:
        print_json(answer)
        return
    group = f", group {answer['group']}" if answer["group"] else ""
    print_text(f"session {answer['id']}, user {answer['user'] or 'not signed in yet'}{group}, {answer['state']}")
    settings = [*answer["settings"], *answer["before_login"]]
    used = _used(answer["used"])
    rows = [(one["key"], _shown(one["key"], one["value"]), used.get(one["key"]), one["origin"]) for one in settings]
    print_table(("setting", "value", "so far", "from"), rows)
    for end in answer["ends"]:
        print_text(f"ends in {end['seconds']:g} s: {end['why']}")
    noticed = answer["used"]["detection_time"]
    print_text("LCP echo is off: a client that vanishes is not noticed" if noticed is None else _noticed(noticed))
    if answer["silent"]:
        print_text(f"half-dead: {', '.join(answer['silent'])} is silent")
    for sentence in answer["ignored"]:
        print_text(f"not used: {sentence}")
    if answer["unknown"]:
        print_text(f"attributes of RADIUS not known here: {', '.join(answer['unknown'])}")


def _noticed(seconds: float) -> str:
    return f"a client that vanishes is noticed after {seconds:g} s (lcp_echo_interval x lcp_echo_failures)"


def _used(used: dict[str, Any]) -> dict[str, str]:
    seconds = {"session_timeout": used["session_time"], "idle_timeout": used["idle"]}
    words = {key: f"{value:g} s" for key, value in seconds.items() if value is not None}
    volumes = {"volume_limit": "octets", "volume_limit_in": "octets_in", "volume_limit_out": "octets_out"}
    words |= {key: f"{used[name]} octets" for key, name in volumes.items()}
    return {**words, "lcp_echo_failures": f"{used['echoes_missed']} missed"}


def _shown(key: str, value: Any) -> str:
    if not value and key in OFF_AT_ZERO:
        return OFF_AT_ZERO[key]
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if type(value) is float else str(value)
