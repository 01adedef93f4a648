"""`holdfast disconnect`: end sessions."""

from typing import Annotated, Any

import typer

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import print_json, print_text

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples:\n\n  holdfast disconnect 019a2b3c4d5e6f7a8b9c0d\n\n  holdfast disconnect --user alice")
def disconnect(
    state: StateOption,
    session: Annotated[
        str | None,
        typer.Argument(metavar="[SESSION]", help="An id of `holdfast sessions`, or enough of its beginning or end."),
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Every session of this user.")] = None,
    as_json: JsonOption = False,
) -> None:
    """End sessions politely; the log says `admin`.

    A client that redials by itself comes back: disable the user first (`holdfast user disable NAME`).
    Exit code 1 when nothing matched.
    """
    if (session is None) == (user is None):
        raise typer.BadParameter("name a session, or a user with --user, and not both")
    ended: list[dict[str, Any]] = ask(state, "disconnect", session=session, user=user)
    if as_json:
        print_json(ended)
    else:
        print_text("\n".join(f"{one['id']} {one['user']} ended" for one in ended) or "no such session")
    raise typer.Exit(0 if ended else 1)
