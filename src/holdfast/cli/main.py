"""The command `holdfast`: finds the command asked for, and turns how it ended into an exit code.

0 means done or yes, 1 a negative answer (no such user, problems found), 2 wrong usage or an error. A module is
imported only when its command is called, so that `--help` comes at once.
"""

import importlib
import resource
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from holdfast import __version__
from holdfast.cli.common import complain
from holdfast.errors import HoldfastError


@dataclass(frozen=True, slots=True)
class Command:
    """A command: the module under `holdfast.cli` whose `app` it is, one line of help, and its place in the list."""

    module: str
    help: str
    panel: str


RUN, WATCH, SET_UP, DIAGNOSE = "Run", "Watch", "Set up", "Diagnose"

COMMANDS: dict[str, Command] = {
    "serve": Command("serve", "Run the gateway.", RUN),
    "dial": Command("dial", "Bring a tunnel up and keep it up.", RUN),
    "sessions": Command("sessions", "Who is connected.", WATCH),
    "status": Command("status", "How the gateway is.", WATCH),
    "why": Command("why", "What holds for a session, and where it came from.", WATCH),
    "disconnect": Command("disconnect", "End sessions.", WATCH),
    "events": Command("events", "The event log: read, prove, export, forget.", WATCH),
    "watch": Command("watch", "Judge every session on an interface while it happens.", WATCH),
    "record": Command("record", "Record one session off the wire.", WATCH),
    "reload": Command("reload", "Read the configuration again.", RUN),
    "drain": Command("drain", "End the gateway with its last session.", RUN),
    "unlock": Command("unlock", "Let a user log in again where logins failed.", SET_UP),
    "user": Command("user", "Users: add, change, list, import.", SET_UP),
    "radius": Command("radius", "What the RADIUS servers say.", DIAGNOSE),
    "config": Command("config", "The configuration file: check, show, schema.", SET_UP),
    "probe": Command("probe", "Ask through a tunnel now: names, HTTP, pings, throughput.", DIAGNOSE),
    "capture": Command("capture", "Make a capture that can be judged.", DIAGNOSE),
    "doctor": Command("doctor", "Is this host fit for PPTP? What is wrong, and what to do.", DIAGNOSE),
    "diagnose": Command("diagnose", "From a capture to the cause, the evidence and the fix.", DIAGNOSE),
}
"""Every command by its name. A new one is a file in this folder with a Typer named `app`, and a line here."""


class LazyGroup(TyperGroup):
    """A group that shows its commands from the table and imports only the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, command in COMMANDS.items():
            self.add_command(TyperCommand(name, help=command.help, rich_help_panel=command.panel), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command, and put the real one where its line of help stood."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else found, rest


def load(name: str) -> Any:
    """Import a command of the table."""
    module = importlib.import_module(f"holdfast.cli.{COMMANDS[name].module}")
    command = typer.main.get_command(module.app)
    command.name = name
    return command


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Examples:\n\n  holdfast user add alice\n\n  holdfast config check /etc/holdfast.toml\n\n"
    "PPTP is weak: its passwords and its encryption can be broken. Use it only where you must.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


@app.callback()
def holdfast(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Runs, watches, diagnoses and retires PPTP VPNs."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line (without the program's name; that of the process by default) and return its exit code."""
    # Passwords and keys are in memory, and a core dump is a file that others may get to see.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        typer.main.get_command(app)(args=arguments, prog_name="holdfast")
    except HoldfastError as error:
        complain(error)
        return 2
    except SystemExit as end:
        return _code(end.code)
    return 0


def _code(code: object) -> int:
    return code if isinstance(code, int) else 0 if code is None else 2


if __name__ == "__main__":
    sys.exit(main())
