"""`holdfast user`: who may connect. Works with and without a running gateway, which sees every change at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.common import JsonOption, StateOption, ask_secret, command_app, negative, read_secret_line, warn
from holdfast.cli.gateway_socket import ask
from holdfast.cli.output import local_time, print_json, print_table, print_text
from holdfast.config.values import parse_host_address
from holdfast.errors import HoldfastError, NotRunningError
from holdfast.local_api import own_account
from holdfast.policy import chap_secrets
from holdfast.policy.files import readable_by_others
from holdfast.policy.import_users import ImportedLine, import_chap_secrets
from holdfast.policy.names import UnacceptableError, acceptable_name, acceptable_nt_hash, acceptable_password
from holdfast.policy.overrides import parse_override
from holdfast.policy.ranges import Address
from holdfast.policy.records import SecretKind, UserRecord
from holdfast.policy.store import DATABASE_FILE, Store
from holdfast.policy.user_changes import Act
from holdfast.policy.users import NoSuchUserError, UserExistsError, Users
from holdfast.secret import Secret

app = command_app(
    "Users in the database of the state directory. A running gateway sees every change at once.",
    "Passwords come from a prompt or from standard input, never from the command line, where every other "
    "user of this machine could read them.",
)
import_app = command_app("Take users over from other servers.")
app.add_typer(import_app, name="import")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of the user, as the client sends it.")]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
HashOption = Annotated[
    bool,
    typer.Option(
        "--nt-hash-stdin",
        help="Read an NT hash (32 hexadecimal digits) instead of a password: enough for MS-CHAP, MS-CHAPv2 and PAP.",
    ),
]
AddressOption = Annotated[
    str | None, typer.Option("--address", metavar="IP", help="The address that only this user gets.")
]
ExpiresOption = Annotated[
    str | None,
    typer.Option("--expires", metavar="DATE", help="The last day, as 2026-12-31, or a time, as 2026-12-31T18:00."),
]
NEVER = "none"
SHORT_PASSWORD = 12
"""Characters. MS-CHAP lets a listener guess at leisure; this many random ones outlast guessing, if not every attack."""


@app.command(
    epilog="Examples:\n\n  holdfast user add alice\n\n  holdfast user add bob --address 10.77.0.5 "
    "--expires 2027-06-30\n\n  pass show vpn/carol | holdfast user add carol --password-stdin"
)
def add(
    name: NameArgument,
    *,
    state: StateOption,
    password_stdin: PasswordOption = False,
    nt_hash_stdin: HashOption = False,
    address: AddressOption = None,
    expires: ExpiresOption = None,
) -> None:
    """Add a user. Exit code 1 when the name or the address is taken."""
    name, dedicated, end = acceptable_name(name), _address(address), _end(expires)
    with _changing(state, "user add") as users, negative(UserExistsError):
        users.check_free(name, dedicated)
        secret, kind = _secret(name, password_stdin, nt_hash_stdin)
        users.add(name, secret, kind, address=dedicated, expires=end)
    print_text(f"user {name} added")


@app.command(epilog="Example: holdfast user passwd alice")
def passwd(
    name: NameArgument, state: StateOption, password_stdin: PasswordOption = False, nt_hash_stdin: HashOption = False
) -> None:
    """Give a user another password. Sessions that are up stay up."""
    with _changing(state, "user passwd") as users, negative(NoSuchUserError):
        users.get(name)
        users.change_secret(name, *_secret(name, password_stdin, nt_hash_stdin))
    print_text(f"user {name} has a new password")


@app.command(
    epilog="Examples:\n\n  holdfast user change bob --address 10.77.0.6\n\n  holdfast user change bob --expires none"
)
def change(
    name: NameArgument, state: StateOption, address: AddressOption = None, expires: ExpiresOption = None
) -> None:
    """Change the dedicated address or the last day of a user; "none" takes it away."""
    if address is None and expires is None:
        raise HoldfastError("nothing to change", fix="Give --address or --expires.")
    given = {key: value for key, value in (("address", address), ("expires", expires)) if value is not None}
    readers: dict[str, Callable[[str], Any]] = {"address": _address, "expires": _end}
    values = {key: readers[key](value) for key, value in given.items()}
    details = (f"{key}={value}" for key, value in given.items())
    with _changing(state, "user change", *details) as users, negative(NoSuchUserError, UserExistsError):
        users.change(name, **values)
    print_text(f"user {name} changed")


@app.command(
    name="set",
    epilog="Examples:\n\n  holdfast user set alice idle_timeout=900 single_session=replace\n\n  "
    "holdfast user set alice --group office\n\n  holdfast user set alice idle_timeout= --group none",
)
def set_(
    name: NameArgument,
    state: StateOption,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="A setting of its sessions; an empty value takes it away."),
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="GROUP", help='The group of the file it belongs to, or "none".')
    ] = None,
) -> None:
    """Give a user timers and limits of its own, or a group. They hold from the next sign-in on."""
    if not settings and group is None:
        raise HoldfastError("nothing to set", fix="Give key=value, or --group.")
    given = dict(parse_override(text) for text in settings or ())
    details = (*(settings or ()), *([f"group={group}"] if group is not None else ()))
    with _changing(state, "user set", *details) as users, negative(NoSuchUserError):
        users.set_policy(name, group="" if group == NEVER else group, settings=given)
    print_text(f"user {name} changed")


@app.command(epilog="Example: holdfast user disable alice")
def disable(name: NameArgument, state: StateOption) -> None:
    """Keep a user out, password and address kept. Sessions that are up stay up: see `holdfast disconnect`."""
    with _changing(state, "user disable") as users, negative(NoSuchUserError):
        users.set_disabled(name, True)
    print_text(f"user {name} disabled")


@app.command(epilog="Example: holdfast user enable alice")
def enable(name: NameArgument, state: StateOption) -> None:
    """Let a disabled user in again."""
    with _changing(state, "user enable") as users, negative(NoSuchUserError):
        users.set_disabled(name, False)
    print_text(f"user {name} enabled")


@app.command(epilog="Example: holdfast user remove alice")
def remove(name: NameArgument, state: StateOption) -> None:
    """Forget a user and the password. Sessions that are up stay up: see `holdfast disconnect`."""
    with _changing(state, "user remove") as users, negative(NoSuchUserError):
        users.remove(name)
    print_text(f"user {name} removed")


@app.command("list", epilog="Example: holdfast user list --json")
def list_users(state: StateOption, as_json: JsonOption = False) -> None:
    """Show all users of the database."""
    records, now = _all_users(state), time.time()
    if as_json:
        print_json([_as_dict(record, now) for record in records])
        return
    if not records:
        print_text("no users yet: holdfast user add NAME")
        return
    columns = ("name", "state", "kept", "group", "address", "expires", "changed")
    print_table(
        columns, [[_as_dict(record, now)[column] for column in columns] for record in records], ("changed", "kept")
    )


@import_app.command(
    "chap-secrets",
    epilog="Examples:\n\n  holdfast user import chap-secrets /etc/ppp/chap-secrets\n\n"
    "  holdfast user import chap-secrets old-secrets --server vpn --json",
)
def import_chap_secrets_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to take over; it stays as it is.")],
    state: StateOption,
    server: Annotated[
        str, typer.Option(metavar="NAME", help="Take the lines for this server, and those for any (*).")
    ] = chap_secrets.DEFAULT_SERVER,
    as_json: JsonOption = False,
) -> None:
    """Take over the users of a pppd chap-secrets file, and say what became of each line.

    Users who are in the database already stay as they are. Exit code 1 when a line was not taken.
    """
    try:
        lines = chap_secrets.parse(file.read_bytes(), server)
    except OSError as error:
        fix = "Name pppd's file; on Debian it is /etc/ppp/chap-secrets, which only root may read."
        raise HoldfastError(f"cannot be read: {error.strerror}", where=str(file), fix=fix) from None
    if readable_by_others(file):
        warn(f"other users of this machine may read the passwords in {file}; run: chmod 600 {file}")
    with _changing(state, "user import") as users:
        answers = import_chap_secrets(lines, users)
    if as_json:
        print_json([asdict(answer) for answer in answers])
    else:
        _print_import(answers)
    raise typer.Exit(0 if all(answer.taken for answer in answers) else 1)


def _print_import(answers: list[ImportedLine]) -> None:
    rows = [(one.line, one.user, "taken" if one.taken else "skipped", one.note or None) for one in answers]
    print_table(("line", "user", "", "note"), rows)
    taken = sum(answer.taken for answer in answers)
    print_text(f"{taken} taken, {len(answers) - taken} skipped")


def _all_users(state: Path) -> list[UserRecord]:
    """Return the users, without making a state directory for who only looks and mistyped its name."""
    with suppress(PermissionError):  # which opening explains
        if not (state / DATABASE_FILE).exists():
            return []
    with Store.open(state) as store:
        return Users(store).list()


@contextmanager
def _changing(state: Path, action: str, *details: str) -> Iterator[Users]:
    """Open the users for a change that the event log shall have; then let a gateway that runs take it over."""
    with Store.open(state) as store:
        yield Users(store, act=Act(action, str(own_account()), details))
    try:
        ask(state, "user-changed")
    except NotRunningError:
        pass  # the next gateway finds the note
    except HoldfastError as error:
        warn(f"done, but the gateway could not put it into its log yet; its next start will: {error.what}")


def _secret(name: str, password_stdin: bool, nt_hash_stdin: bool) -> tuple[Secret, SecretKind]:
    if password_stdin and nt_hash_stdin:
        raise HoldfastError("--password-stdin and --nt-hash-stdin cannot both be read", fix="Give one of them.")
    if nt_hash_stdin:
        return acceptable_nt_hash(read_secret_line()), SecretKind.NT_HASH
    text = read_secret_line() if password_stdin else ask_secret(f"Password for {name}", twice=True)
    password = acceptable_password(text)
    if len(text) < SHORT_PASSWORD:
        warn("this password is short: whoever records a sign-in can try short ones one by one, without asking us")
    return password, SecretKind.PASSWORD


def _address(text: str | None) -> Address | None:
    if text is None or text == NEVER:
        return None
    try:
        return parse_host_address(text)
    except ValueError as error:
        raise UnacceptableError(str(error), where="--address") from None


def _end(text: str | None) -> float | None:
    """Read a last day, which ends with its midnight here, or a point in time."""
    if text is None or text == NEVER:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnacceptableError(f"{text!r} is not a date such as 2026-12-31", where="--expires") from None
    if len(text) <= len("2026-12-31"):
        moment += timedelta(days=1)
    return moment.timestamp()


def _as_dict(record: UserRecord, now: float) -> dict[str, Any]:
    return {
        "name": record.name,
        "state": str(record.state(now)),
        "kept": str(record.kind),
        "address": str(record.addresses[0]) if record.addresses else None,
        "expires": local_time(record.expires),
        "group": record.group or None,
        "settings": dict(record.settings),
        "created": local_time(record.created),
        "changed": local_time(record.changed),
    }
