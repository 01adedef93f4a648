"""`holdfast radius`: what the RADIUS servers say."""

import asyncio
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from holdfast.cli.common import ConfigOption, JsonOption, ask_secret, command_app, read_secret_line
from holdfast.cli.output import print_json, print_text
from holdfast.config import Config, load
from holdfast.errors import ConfigError
from holdfast.gateway.radius_probe import Credentials, Step, probe, probe_accounting
from holdfast.ppp.authentication_types import Method
from holdfast.secret import Secret

app = command_app("What the RADIUS servers of the configuration say.")


class Way(StrEnum):
    """Methods that can be tried."""

    PAP = "pap"
    CHAP_MD5 = "chap-md5"
    MS_CHAP = "ms-chap"
    MS_CHAP_V2 = "ms-chap-v2"
    EAP = "eap"


@app.callback()
def radius() -> None:
    """What the RADIUS servers of the configuration say."""


@app.command(
    "test",
    epilog="Examples:\n\n  holdfast radius test --config /etc/holdfast.toml --user alice\n\n"
    '  printf %s "$PASSWORD" | holdfast radius test --user alice --password-stdin --json\n\n'
    "Exit codes: 0 every server lets the user in, 1 one does not, 2 wrong usage.",
)
def try_login(
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Whom to sign in.")],
    config: ConfigOption = None,
    *,
    method: Annotated[Way, typer.Option("--method", help="How.")] = Way.MS_CHAP_V2,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Sign a user in at each RADIUS server, as the gateway would, and say at which step it fails and why; then ask the
    accounting servers for a sign of life.

    No session is made, and nothing is accounted. The password is asked for at the terminal; EAP needs none, for only
    its first step is tried.
    """
    loaded = load(config)
    if not loaded.config.radius.servers:
        raise ConfigError("no RADIUS servers are named", where=loaded.file or "", fix="Name them in radius.servers.")
    credentials = Credentials(user, _password(user, method, from_stdin=password_stdin), Method(method.value))
    steps = asyncio.run(_all(loaded.config, credentials, quiet=as_json))
    if as_json:
        print_json([asdict(step) for step in steps])
    if not all(step.good for step in steps):
        raise typer.Exit(1)


def _password(user: str, method: Way, *, from_stdin: bool) -> Secret:
    if method is Way.EAP:
        return Secret(b"")
    return Secret.from_text(read_secret_line() if from_stdin else ask_secret(f"Password of {user}", twice=False))


async def _all(config: Config, credentials: Credentials, *, quiet: bool) -> list[Step]:
    steps = []
    for asked in (probe(config, credentials), probe_accounting(config)):
        async for step in asked:
            steps.append(step)
            if not quiet:
                print_text(_text(step))
    return steps


def _text(step: Step) -> str:
    lines = [f"{step.server}  {step.what}: {'ok' if step.good else 'FAILED'}, {step.said}"]
    lines += [f"    {line}" for line in step.answer]
    lines += [f"    not used: {line}" for line in step.ignored]
    if step.fix:
        lines.append(f"  {step.fix}")
    return "\n".join(lines)
