"""`holdfast events`: read the event log, prove it, hand it on, forget."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.common import UNITS, ConfigOption, JsonOption, StateOption, plain
from holdfast.cli.gateway_socket import ask
from holdfast.cli.log_over_socket import LogOverSocket
from holdfast.cli.output import harmless_json, print_json, print_text
from holdfast.config import load
from holdfast.errors import HoldfastError, NotRunningError, StateError
from holdfast.events import LogExported, Severity
from holdfast.gateway.log_setup import Journal, log_key, log_path, open_log
from holdfast.observe.export import Excerpt, export, read_custody
from holdfast.observe.head import read_head
from holdfast.observe.pseudonyms import KEYS_FILE, USER, Keyring
from holdfast.observe.reader import Line, Query, follow, last, moment, read
from holdfast.observe.schema import schema as log_schema
from holdfast.observe.schema_page import page as schema_page
from holdfast.observe.segments import lines, lines_of, segments
from holdfast.observe.signing import PUBLIC_FILE, PublicKey, SigningKey
from holdfast.observe.sinks.lines import text_of
from holdfast.observe.verify import Expected, Part, Report, verify
from holdfast.secret import Secret
from holdfast.wire.text import composed

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="The event log: who was connected, and why anything ended.",
)

UserOption = Annotated[str, typer.Option("--user", metavar="NAME", help="Only of this user (or pseudonym).")]
SessionOption = Annotated[str, typer.Option("--session", metavar="ID", help="Only of this session or connection.")]
EventOption = Annotated[list[str] | None, typer.Option("--event", metavar="WORD", help="Only this event; repeatable.")]
SeverityOption = Annotated[Severity, typer.Option("--severity", help="Only this severity and above.")]
SinceOption = Annotated[str, typer.Option("--since", metavar="TIME", help="From then on: ISO 8601, or 2h, 3d ago.")]
UntilOption = Annotated[str, typer.Option("--until", metavar="TIME", help="Until then.")]
FileOption = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Another log, such as a dialer's.")]
PublicKeyOption = Annotated[
    Path | None,
    typer.Option("--public-key", metavar="FILE", help="Whose signatures count; else the state directory's."),
]


@app.callback(
    invoke_without_command=True,
    epilog="Examples:\n\n  holdfast events --follow\n\n  holdfast events --user alice --since 2d --json | jq .reason",
)
def events(
    context: typer.Context,
    *,
    state: StateOption,
    config: ConfigOption = None,
    file: FileOption = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
    user: UserOption = "",
    session: SessionOption = "",
    event: EventOption = None,
    severity: SeverityOption = Severity.DEBUG,
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="How many of the newest; 0: all.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON lines as they are.")] = False,
) -> None:
    """Show the newest events, oldest of them first."""
    if context.invoked_subcommand is not None:
        return
    query = _query(user, session=session, event=event, severity=severity, since=since, until=until)
    remote = _over_socket(state, config, query) if file is None else None
    if remote is not None:
        _show_all(remote.last(limit), remote.follow() if follow_on else (), as_json=as_json)
        return
    log, key = _log(state, config, file)
    query = replace(query, users=_names(state, user))
    found = last(log, key, query, limit) if limit else read(log, key, query)
    _show_all(found, follow(log, key, query, lambda: False) if follow_on else (), as_json=as_json)


@app.command(epilog="Example: holdfast events schema > event-log.schema.json")
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print tables for people instead.")] = False,
) -> None:
    """Print the JSON schema of a line: every field and event, with their meaning."""
    if markdown:
        print_text(schema_page().rstrip())
    else:
        print_json(log_schema())


@app.command("verify", epilog="Examples:\n\n  holdfast events verify\n\n  holdfast events verify --file excerpt.jsonl")
def verify_log(
    state: StateOption,
    config: ConfigOption = None,
    file: FileOption = None,
    public_key: PublicKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that the log is whole, or name the first line that was changed, removed or moved.

    Exit code 0: whole; 1: something is wrong; 2: it cannot be read.
    """
    log, key = _log(state, config, file)
    report = _verify(state, log, key, public_key)
    if as_json:
        print_json(_plain_report(report))
    else:
        _print_report(report)
    raise typer.Exit(0 if report.whole else 1)


@app.command(epilog="Example: holdfast events purge --config /etc/holdfast.toml")
def purge(state: StateOption, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Take out every line that is older than the configuration keeps it. The gateway does this itself once a day."""
    done = _ask_or_do(state, config, "log-purge", lambda journal: {"lines": journal.keeper.purge()})
    _print_done(done, "{lines} lines were taken out", as_json=as_json)


@app.command(epilog="Example: holdfast events forget alice")
def forget(
    user: Annotated[str, typer.Argument(metavar="USER", help="Whose traces to take out.")],
    state: StateOption,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget a user: destroy the keys of the pseudonyms, and take out every line that names the user.

    The log still proves to be whole afterwards, and tells that something was taken out. This cannot be undone.
    """

    def work(journal: Journal) -> dict[str, Any]:
        forgotten = journal.keeper.forget(composed(user))
        return {"lines": forgotten.lines, "keys": forgotten.keys}

    done = _ask_or_do(state, config, "log-forget", work, user=user)
    _print_done(done, "{lines} lines were taken out, {keys} keys destroyed", as_json=as_json)


@app.command(epilog="Example: holdfast events who user-mfrggzdfmztwq2lk")
def who(
    pseudonym: Annotated[str, typer.Argument(metavar="PSEUDONYM", help="As it stands in the log.")], state: StateOption
) -> None:
    """Tell who is behind a pseudonym, and let a running gateway's log tell that it was asked for.

    Exit code 1 when nobody can tell (any more).
    """
    found = None
    if (state / KEYS_FILE).exists():
        keyring = Keyring(state)
        found = keyring.who(pseudonym)
        keyring.close()
    if found is None:
        print_text(f"nobody can tell who {pseudonym} is")
        raise typer.Exit(1)
    with suppress(NotRunningError):
        ask(state, "log-resolved", pseudonym=pseudonym)
    print_text(found)


@app.command(epilog="Examples:\n\n  holdfast events trace --user alice\n\n  holdfast events trace --user alice --off")
def trace(
    state: StateOption,
    *,
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Who signs in under this name.")] = "",
    address: Annotated[str, typer.Option("--address", metavar="ADDRESS", help="Who comes from this address.")] = "",
    session: Annotated[str, typer.Option("--session", metavar="ID", help="This session.")] = "",
    off: Annotated[bool, typer.Option("--off", help="Stop it; without a name, all of it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let the running gateway log every packet of some, at debug, until told otherwise; or show of whom it does."""
    chosen = {"user": user, "address": address, "session": session}
    traced = ask(state, "trace", off=off, **{key: value for key, value in chosen.items() if value})
    if as_json:
        print_json(traced)
    else:
        print_text("\n".join(f"{one['kind']} {one['value']}" for one in traced) or "nobody is traced")


@app.command(
    "export", epilog="Example: holdfast events export case-17.jsonl --user alice --since 2026-03-01 --reason 'case 17'"
)
def export_lines(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="What to write; it must not exist.")],
    *,
    state: StateOption,
    config: ConfigOption = None,
    file: FileOption = None,
    user: UserOption = "",
    session: SessionOption = "",
    event: EventOption = None,
    severity: SeverityOption = Severity.DEBUG,
    since: SinceOption = "",
    until: UntilOption = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; goes into the record of custody.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write lines for somebody else, with a signed record of custody beside them (FILE.custody.json)."""
    log, key = _log(state, config, file)
    query = _query(user, session=session, event=event, severity=severity, since=since, until=until)
    query = replace(query, users=_names(state, user))
    excerpt = export(log, key, query, target, signer=SigningKey.open(state), reason=reason)
    if file is None:
        _note_export(state, config, excerpt)
    if as_json:
        print_json(
            {"file": str(target), "lines": excerpt.lines, "withheld": excerpt.withheld, "sha256": excerpt.digest}
        )
    else:
        print_text(f"{target}: {excerpt.lines} lines, {excerpt.withheld} others as stubs; SHA-256 {excerpt.digest}")


# --- inside --------------------------------------------------------------------------------------------------


def _log(state: Path, config: Path | None, file: Path | None) -> tuple[Path, Secret | None]:
    """Return where the log lies, and the key for encrypted parts of it."""
    loaded = load(config).config
    log = file.absolute() if file is not None else log_path(loaded, state)
    if not segments(log):
        raise StateError(
            "there is no event log", where=str(log), fix="Name the right one: --state, --config or --file."
        )
    return log, log_key(loaded)


def _over_socket(state: Path, config: Path | None, query: Query) -> LogOverSocket | None:
    """Return the log as the running gateway shows it when its files are not for us; None when they are, or nothing
    runs."""
    if os.access(log_path(load(config).config, state), os.R_OK):
        return None
    try:
        return LogOverSocket(state, query)
    except NotRunningError:
        return None


def _show_all(found: Iterable[Line], then: Iterable[Line], *, as_json: bool) -> None:
    """Show the lines that there are, and then those that are written, until Ctrl-C."""
    for raw, record in found:
        _show(raw, record, as_json=as_json)
    with suppress(KeyboardInterrupt):
        for raw, record in then:
            _show(raw, record, as_json=as_json)
            sys.stdout.flush()


def _query(
    user: str,
    *,
    session: str,
    event: list[str] | None,
    severity: Severity,
    since: str,
    until: str,
) -> Query:
    return Query(
        users=frozenset({composed(user)} - {""}),
        session=session,
        events=frozenset(word.upper() for word in event or ()),
        severity=severity,
        since=_time(since),
        until=_time(until),
    )


def _names(state: Path, user: str) -> frozenset[str]:
    """Return the user's name and pseudonym."""
    user = composed(user)
    names = {user} if user else set()
    if user and (state / KEYS_FILE).exists():
        keyring = Keyring(state)
        pseudonym = keyring.find(USER, user)
        keyring.close()
        names |= {pseudonym} if pseudonym else set()
    return frozenset(names)


def _time(text: str) -> datetime | None:
    """Read a time, or how long ago it was."""
    if not text:
        return None
    if text[:-1].isdigit() and text[-1] in UNITS:
        return datetime.now().astimezone() - timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])
    at = moment(text)
    if at is None:
        raise HoldfastError(
            f"{text!r} is no time", fix="Write 2026-03-01, 2026-03-01T12:00 or how long ago: 90m, 2h, 3d."
        )
    return at


def _show(raw: bytes, record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        text = raw.decode("utf-8", "replace")
        sys.stdout.write(harmless_json(text) if sys.stdout.isatty() else text)  # a pipe gets the proven octets
    else:
        sys.stdout.write(plain(f"{record.get('ts', '-')} {text_of(record)}") + "\n")


def _verify(state: Path, log: Path, key: Secret | None, public_key: Path | None) -> Report:
    path = public_key or state / PUBLIC_FILE
    public = PublicKey.read(path) if public_key or path.exists() else None
    custody = read_custody(log, public)
    if custody is not None:
        report = verify([(log.name, False, lines(log, key))], Expected(public, None, custody.start))
        report.notes += [f"exported {custody.text.get('exported')} by {custody.text.get('by')}"]
        for said in custody.problems:
            report.add("forged", said)
        return report
    head = read_head(state, log)
    report = verify(_parts(log, key), Expected(public, head))
    if head is not None and public is not None and not head.signed_by(public):
        report.add("forged", "the signed head in the state directory was changed, or signed with another key")
    return report


def _parts(log: Path, key: Secret | None) -> Iterable[Part]:
    for segment in segments(log):
        yield segment.name, segment.is_open, lines_of(segment, key)


def _plain_report(report: Report) -> dict[str, Any]:
    return {
        "whole": report.whole,
        "lines": report.lines,
        "first_seq": report.first_seq,
        "last_seq": report.last_seq,
        "signatures": report.signatures,
        "signed_seq": report.signed_seq,
        "stubs": report.stubs,
        "problems": [
            {"kind": one.kind, "file": one.file, "line": one.line, "seq": one.seq, "text": one.text}
            for one in report.problems
        ],
        "notes": report.notes,
    }


def _print_report(report: Report) -> None:
    for one in report.problems:
        place = f"{one.file}:{one.line}: " if one.file else ""
        print_text(f"{place}{one.kind}: {one.text}")
    for note in report.notes:
        print_text(f"note: {note}")
    span = f"lines {report.first_seq} to {report.last_seq}, {report.signatures} signatures, {report.stubs} stubs"
    print_text(f"{span}: " + ("the log is whole" if report.whole else "THE LOG IS NOT WHOLE"))


def _ask_or_do(state: Path, config: Path | None, verb: str, work: Any, **arguments: Any) -> dict[str, Any]:
    """Let the running gateway do it; when none runs, open its log and do it here."""
    try:
        done: dict[str, Any] = ask(state, verb, **arguments)
    except NotRunningError:
        _log(state, config, None)
        journal = open_log(load(config).config, state)
        try:
            done = work(journal)
        finally:
            journal.close()
    return done


def _print_done(done: dict[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        print_text("it takes long and goes on in the gateway" if done.get("goes_on") else words.format(**done))


def _note_export(state: Path, config: Path | None, excerpt: Excerpt) -> None:
    """Let the log tell that lines were handed out."""
    event = LogExported(excerpt.by, excerpt.lines, excerpt.digest, excerpt.selection)

    def work(journal: Journal) -> dict[str, Any]:
        journal.keeper.record(event)
        return {}

    _ask_or_do(state, config, "log-exported", work, **json.loads(json.dumps(event.fields())))
