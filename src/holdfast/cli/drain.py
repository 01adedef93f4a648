"""`holdfast drain`: let the gateway end when the last client has left."""

from typing import Annotated, Any

import typer

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_text

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples:\n\n  holdfast drain --deadline 3600\n\n  holdfast drain --cancel")
def drain(
    state: StateOption,
    deadline: Annotated[
        float, typer.Option("--deadline", metavar="SECONDS", help="End after that long all the same.", min=0)
    ] = 0.0,
    cancel: Annotated[bool, typer.Option("--cancel", help="Take calls again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Refuse new calls and end the gateway when the last session is gone."""
    answer: dict[str, Any] = ask(state, "drain", deadline=deadline, cancel=cancel)
    if as_json:
        print_json(answer)
    elif cancel:
        print_text("the gateway takes calls again")
    else:
        until = f", or in {deadline:g} s" if deadline else ""
        print_text(f"no new calls are taken; the gateway ends with its last session ({answer['sessions']} now){until}")
