"""`holdfast unlock`: let a user log in again where too many logins failed."""

from typing import Annotated, Any

import typer

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_text

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: holdfast unlock alice 192.0.2.7")
def unlock(
    user: Annotated[str, typer.Argument(metavar="USER", help="The account.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The client address at which it is locked out.")],
    state: StateOption,
    as_json: JsonOption = False,
) -> None:
    """Take a lock away that failed logins brought; the event LOCKED names user and address.

    Exit code 1 when there was none.
    """
    answer: dict[str, Any] = ask(state, "unlock", user=user, address=address)
    if as_json:
        print_json(answer)
    else:
        print_text(f"{user} may log in again from {address}" if answer["unlocked"] else "there was no such lock")
    raise typer.Exit(0 if answer["unlocked"] else 1)
