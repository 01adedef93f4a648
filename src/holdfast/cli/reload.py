"""`holdfast reload`: let the gateway read its configuration again."""

from typing import Any

import typer

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_text

app = typer.Typer(add_completion=False)

WHEN = {"now": "in effect now", "new_sessions": "for new sessions", "restart": "waits for a restart"}


@app.command(epilog="Example: holdfast reload")
def reload(state: StateOption, as_json: JsonOption = False) -> None:
    """Let the running gateway read its file again, without dropping anyone, and say what changed.

    A file with a problem changes nothing. SIGHUP does the same.
    """
    found: dict[str, Any] = ask(state, "reload")
    if as_json:
        print_json(found)
    elif not any(found.values()):
        print_text("nothing has changed")
    else:
        print_text("\n".join(f"{WHEN[kind]}: {line}" for kind, lines in found.items() for line in lines))
