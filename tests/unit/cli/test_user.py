"""`holdfast user`: secrets come in by prompt or standard input and never come out."""

import json
import os
import pty
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from holdfast.errors import HoldfastError
from holdfast.policy.records import SecretKind
from holdfast.policy.store import Store
from holdfast.policy.user_changes import UserChanges
from holdfast.policy.users import Users
from unit.cli.conftest import Run

PASSWORD = "correct horse battery"
NT_HASH = "8846f7eaee8fb117ad06bdd830b7586c"


@pytest.fixture
def alice(run: Run) -> None:
    assert run("user", "add", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n").code == 0


def stored(state: Path, name: str) -> tuple[str, SecretKind] | None:
    with Store.open(state) as store:
        found = Users(store).find(name)
    return (found.secret.reveal().decode("latin-1"), found.record.kind) if found else None


def test_adding_with_standard_input(run: Run, state: Path) -> None:
    ran = run("user", "add", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    assert ran == (0, "user alice added\n", "")
    assert stored(state, "alice") == (PASSWORD, SecretKind.PASSWORD)


def test_a_short_password_is_taken_with_a_warning(run: Run, state: Path) -> None:
    ran = run("user", "add", "alice", "--password-stdin", stdin=b"elevenchars\n")
    assert (ran.code, ran.out) == (0, "user alice added\n")
    assert ran.err.startswith("warning: this password is short")
    assert run("user", "passwd", "alice", "--password-stdin", stdin=b"twelve chars\n").err == ""


def test_adding_with_a_hash(run: Run, state: Path) -> None:
    assert run("user", "add", "alice", "--nt-hash-stdin", stdin=NT_HASH.encode()).code == 0
    assert stored(state, "alice") == (bytes.fromhex(NT_HASH).decode("latin-1"), SecretKind.NT_HASH)


def test_the_state_option_goes_before_the_environment(run: Run, state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run("user", "add", "alice", "--password-stdin", "--state", other, stdin=b"pw\n")
    assert stored(other, "alice") == ("pw", SecretKind.PASSWORD)
    assert not state.exists()


def test_there_is_no_option_for_a_password(run: Run) -> None:
    for arguments in (["--password", PASSWORD], [f"--password={PASSWORD}"], [PASSWORD]):
        code, out, err = run("user", "add", "alice", *arguments)
        assert code == 2
        assert not out
        assert "Usage" in err


def test_no_terminal_and_no_standard_input(run: Run, state: Path) -> None:
    code, _, err = run("user", "add", "alice", stdin=b"pw\n")
    assert code == 2
    assert "Give it on standard input: --password-stdin" in err
    assert stored(state, "alice") is None


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["--password-stdin"], b"", "the password is empty"),
        (["--password-stdin"], b"a\tb\n", "cannot be typed"),
        (["--password-stdin"], b"x" * 300, "300 characters"),
        (["--password-stdin"], b"caf\xe9\n", "not UTF-8"),
        (["--nt-hash-stdin"], b"abc\n", "32 hexadecimal digits"),
        (["--nt-hash-stdin", "--password-stdin"], b"pw\n", "cannot both be read"),
        (["--password-stdin", "--address", "10.0.0.300"], b"pw\n", "--address: '10.0.0.300' is not an IPv4 address"),
        (["--password-stdin", "--address", "fd00::1"], b"pw\n", "only IPv4"),
        (["--password-stdin", "--address", "127.0.0.1"], b"pw\n", "cannot be the address"),
        (["--password-stdin", "--expires", "tomorrow"], b"pw\n", "--expires: 'tomorrow' is not a date"),
        (["--password-stdin", "--expires", "2026-13-01"], b"pw\n", "is not a date"),
    ],
)
def test_bad_values_get_a_sentence(run: Run, state: Path, arguments: list[str], stdin: bytes, said: str) -> None:
    code, out, err = run("user", "add", "alice", *arguments, stdin=stdin)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert stored(state, "alice") is None


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31mred", "x" * 10_000, " a", "\udcff"])
@pytest.mark.parametrize("command", ["add", "passwd", "disable", "enable", "remove"])
def test_hostile_names(run: Run, command: str, name: str) -> None:
    options = ["--password-stdin"] if command in {"add", "passwd"} else []
    code, out, err = run("user", command, *options, "--", name, stdin=b"pw\n")
    assert (code, out) == (2, "")
    assert err.startswith("holdfast: ")
    assert "\x1b" not in err
    assert len(err) < 500


def test_a_name_with_a_dash_in_front(run: Run, state: Path) -> None:
    assert run("user", "add", "--password-stdin", "--", "-rf", stdin=b"pw\n").code == 0
    assert stored(state, "-rf") is not None


@pytest.mark.usefixtures("alice")
def test_a_name_that_is_taken_is_a_negative_answer(run: Run, state: Path) -> None:
    code, out, err = run("user", "add", "alice", "--password-stdin", stdin=b"other\n")
    assert (code, out) == (1, "")
    assert err == "holdfast: there is a user 'alice' already\n  For a new password: holdfast user passwd alice\n"
    assert stored(state, "alice") == (PASSWORD, SecretKind.PASSWORD)


@pytest.mark.parametrize("command", ["passwd", "disable", "enable", "remove"])
def test_nobody_is_a_negative_answer(run: Run, command: str) -> None:
    options = ["--password-stdin"] if command == "passwd" else []
    code, out, err = run("user", command, "nobody", *options, stdin=b"pw\n")
    assert (code, out) == (1, "")
    assert err.startswith("holdfast: there is no user 'nobody'\n")


@pytest.mark.usefixtures("alice")
def test_a_new_password(run: Run, state: Path) -> None:
    assert run("user", "passwd", "alice", "--password-stdin", stdin=b"other\n").code == 0
    assert stored(state, "alice") == ("other", SecretKind.PASSWORD)


@pytest.mark.usefixtures("alice")
def test_disable_enable_remove(run: Run, state: Path) -> None:
    def states() -> list[str]:
        return [user["state"] for user in json.loads(run("user", "list", "--json").out)]

    assert run("user", "disable", "alice").out == "user alice disabled\n"
    assert states() == ["disabled"]
    assert run("user", "enable", "alice").out == "user alice enabled\n"
    assert states() == ["active"]
    assert run("user", "remove", "alice").out == "user alice removed\n"
    assert states() == []
    assert stored(state, "alice") is None


@pytest.mark.usefixtures("alice")
def test_changing_address_and_end(run: Run) -> None:
    def shown() -> tuple[str | None, str | None]:
        [user] = json.loads(run("user", "list", "--json").out)
        return user["address"], user["expires"]

    assert run("user", "change", "alice", "--address", "10.77.0.9", "--expires", "2099-01-31").code == 0
    address, expires = shown()
    assert address == "10.77.0.9"
    assert expires is not None
    assert expires.startswith("2099-02-01T00:00:00")
    assert run("user", "change", "alice", "--address", "none", "--expires", "none").code == 0
    assert shown() == (None, None)
    assert run("user", "change", "alice").code == 2
    assert run("user", "change", "nobody", "--expires", "none").code == 1


def test_the_last_day_counts_whole_and_a_time_to_the_minute(run: Run) -> None:
    for name, text in (("a", "2099-01-31"), ("b", "2099-01-31T18:30"), ("c", "2099-01-31T18:30:00+02:00")):
        assert run("user", "add", name, "--password-stdin", "--expires", text, stdin=b"pw\n").code == 0
    ends = [datetime.fromisoformat(user["expires"]) for user in json.loads(run("user", "list", "--json").out)]
    assert ends[0] == datetime(2099, 2, 1).astimezone()
    assert ends[1] == datetime(2099, 1, 31, 18, 30).astimezone()
    assert ends[2] == datetime.fromisoformat("2099-01-31T16:30:00+00:00")


@pytest.mark.usefixtures("alice")
def test_the_list_for_people(run: Run) -> None:
    run(
        "user",
        "add",
        "bob",
        "--nt-hash-stdin",
        "--address",
        "10.77.0.5",
        "--expires",
        "2001-01-01",
        stdin=NT_HASH.encode(),
    )
    code, out, _ = run("user", "list")
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert rows[0] == ["name", "state", "kept", "group", "address", "expires", "changed"]
    assert rows[2][:5] == ["alice", "active", "password", "-", "-"]
    assert rows[3][:5] == ["bob", "expired", "nt-hash", "-", "10.77.0.5"]


def test_an_address_that_is_taken(run: Run, state: Path) -> None:
    run("user", "add", "alice", "--password-stdin", "--address", "10.77.0.5", stdin=b"pw\n")
    code, _, err = run("user", "add", "bob", "--password-stdin", "--address", "10.77.0.5", stdin=b"pw\n")
    assert code == 1
    assert "10.77.0.5 belongs to user 'alice'" in err
    assert stored(state, "bob") is None


def test_importing(run: Run, state: Path, tmp_path: Path) -> None:
    file = tmp_path / "chap-secrets"
    file.write_text(f'alice * "{PASSWORD}" *\nbob other pw *\n')
    code, out, _ = run("user", "import", "chap-secrets", file)
    assert code == 1
    assert out.endswith("1 taken, 1 skipped\n")
    assert stored(state, "alice") == (PASSWORD, SecretKind.PASSWORD)
    code, out, _ = run("user", "import", "chap-secrets", file, "--server", "other", "--json")
    assert code == 1
    assert [(line["user"], line["taken"]) for line in json.loads(out)] == [("alice", False), ("bob", True)]
    file.write_text("carol * pw *\n")
    assert run("user", "import", "chap-secrets", file).code == 0


def test_a_file_of_passwords_that_others_may_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "chap-secrets"
    file.write_text("alice * pw *\n")
    file.chmod(0o644)
    assert f"run: chmod 600 {file}" in run("user", "import", "chap-secrets", file).err
    file.chmod(0o600)
    assert run("user", "import", "chap-secrets", file).err == ""


def test_importing_nothing(run: Run, tmp_path: Path) -> None:
    code, _, err = run("user", "import", "chap-secrets", tmp_path / "missing")
    assert code == 2
    assert "cannot be read: No such file" in err


def test_no_output_of_any_command_shows_the_password(run: Run, state: Path, tmp_path: Path) -> None:
    file = tmp_path / "chap-secrets"
    file.write_text(f'carol * "{PASSWORD}" *\ndave * {PASSWORD} *\n')
    stdin = PASSWORD.encode() + b"\n"
    commands = [
        ("add", "alice", "--password-stdin"),
        ("add", "alice", "--password-stdin"),
        ("add", "bob", "--password-stdin", "--address", "bad"),
        ("passwd", "alice", "--password-stdin"),
        ("passwd", "nobody", "--password-stdin"),
        ("passwd", "alice", "--nt-hash-stdin"),
        ("import", "chap-secrets", str(file)),
        ("import", "chap-secrets", str(file), "--json"),
        ("list",),
        ("list", "--json"),
        ("disable", "alice"),
        ("remove", "alice"),
    ]
    words = set(PASSWORD.split())
    for command in commands:
        ran = run("user", *command, stdin=stdin)
        assert not words & set((ran.out + ran.err).replace("'", " ").replace('"', " ").split()), command
    disk = b"".join(path.read_bytes() for path in state.iterdir())
    assert PASSWORD.encode() not in disk


def at_a_terminal(state: Path, *arguments: str, typed: list[str]) -> tuple[int, str]:
    """Run the command on a terminal of its own, type these lines at its prompts, return exit code and screen."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "holdfast.cli.main", *arguments]
    environment = {**os.environ, "HOLDFAST_STATE": str(state)}
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, start_new_session=True
    )
    os.close(terminal)
    screen = b""
    try:
        for line in typed:
            while not screen.rstrip(b" ").endswith(b":"):
                screen += os.read(controller, 1024)
            os.write(controller, line.encode() + b"\n")
            screen += b"\n"
        while chunk := os.read(controller, 1024):
            screen += chunk
    except OSError:
        pass  # a terminal whose last user left gives an error instead of its end
    finally:
        os.close(controller)
        code = process.wait(120)
    return code, screen.decode()


def test_a_password_typed_twice(state: Path) -> None:
    code, screen = at_a_terminal(state, "user", "add", "alice", typed=[PASSWORD, PASSWORD])
    assert code == 0
    assert "Password for alice" in screen
    assert "user alice added" in screen
    assert PASSWORD not in screen
    assert stored(state, "alice") == (PASSWORD, SecretKind.PASSWORD)


def test_a_password_mistyped(state: Path) -> None:
    code, screen = at_a_terminal(state, "user", "add", "alice", typed=[PASSWORD, "something else"])
    assert code == 2
    assert "the two passwords are not the same" in screen
    assert stored(state, "alice") is None


@pytest.mark.usefixtures("alice")
def test_settings_of_its_own(run: Run) -> None:
    assert run("user", "set", "alice", "idle_timeout=900", "preset=mobile,cap-1h", "--group", "office").code == 0
    assert run("user", "set", "alice", "hours=mon-fri 08:00-18:00", "idle_timeout=").code == 0
    (alice,) = json.loads(run("user", "list", "--json").out)
    assert alice["group"] == "office"
    assert alice["settings"] == {"preset": ["mobile", "cap-1h"], "hours": "mon-fri 08:00-18:00"}
    assert run("user", "set", "alice", "--group", "none", "preset=", "hours=").code == 0
    (alice,) = json.loads(run("user", "list", "--json").out)
    assert (alice["group"], alice["settings"]) == (None, {})


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("idle=3", "one of the keys preset, lcp_echo_interval"),
        ("idle_timeout", "is not key=value"),
        ("idle_timeout=soon", "valid number"),
        ("preset=quick", "there is no preset 'quick'"),
        ("hours=always", "not a weekly window"),
    ],
)
def test_settings_that_are_none(run: Run, setting: str, says: str) -> None:
    code, _, err = run("user", "set", "alice", setting)
    assert code == 2
    assert says in err


def test_settings_of_nobody(run: Run) -> None:
    assert run("user", "set", "bob", "idle_timeout=3").code == 1
    assert run("user", "set", "bob").code == 2


def noted(state: Path) -> list[tuple[str, str, str]]:
    """What the next gateway will tell its log."""
    with Store.open(state) as store:
        return [(change.action, change.target, change.user) for change in UserChanges(store).pending(100)]


def test_each_change_leaves_a_note_for_the_log(run: Run, state: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "chap-secrets"
    secrets.write_text("bob pptpd hunter22hunter *\nalice pptpd other-secret *\n")
    run("user", "add", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    run("user", "passwd", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    run("user", "change", "alice", "--address", "10.77.0.9", "--expires", "none")
    run("user", "set", "alice", "idle_timeout=900", "--group", "office")
    run("user", "import", "chap-secrets", secrets)
    for action in ("disable", "enable", "remove", "remove"):
        run("user", action, "alice")
    run("user", "list")
    assert noted(state) == [
        ("user add", "alice", "alice"),
        ("user passwd", "alice", "alice"),
        ("user change", "alice: address=10.77.0.9, expires=none", "alice"),
        ("user set", "alice: idle_timeout=900, group=office", "alice"),
        ("user import", "bob", "bob"),
        ("user disable", "alice", "alice"),
        ("user enable", "alice", "alice"),
        ("user remove", "alice", "alice"),
    ]
    with Store.open(state) as store:
        assert {change.by.partition(" (")[0] for change in UserChanges(store).pending(100)} == {f"uid {os.geteuid()}"}


def test_what_was_refused_leaves_no_note(run: Run, state: Path) -> None:
    run("user", "add", "alice", "--password-stdin", "--address", "10.77.0.9", stdin=PASSWORD.encode() + b"\n")
    run("user", "add", "bob", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    assert run("user", "change", "bob", "--address", "10.77.0.9", "--expires", "none").code == 1
    assert run("user", "add", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n").code == 1
    assert run("user", "disable", "nobody-we-know").code == 1
    assert [action for action, _, _ in noted(state)] == ["user add", "user add"]


def test_no_secret_is_noted(run: Run, state: Path) -> None:
    run("user", "add", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    run("user", "passwd", "alice", "--nt-hash-stdin", stdin=b"0123456789abcdef0123456789ABCDEF\n")
    with Store.open(state) as store, store.read() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM user_changes").all())
    assert PASSWORD not in rows
    assert "0123456789abcdef" not in rows.lower()


def test_a_gateway_that_runs_is_asked_to_take_it_over(run: Run, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, str]] = []
    monkeypatch.setattr("holdfast.cli.user.ask", lambda where, verb: asked.append((where, verb)))
    run("user", "add", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    run("user", "list")
    assert asked == [(state, "user-changed")]


def test_a_gateway_that_takes_no_note_keeps_nobody_from_a_change(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object, **__: object) -> None:
        raise HoldfastError("not a request")

    monkeypatch.setattr("holdfast.cli.user.ask", ask)
    code, out, err = run("user", "add", "alice", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    assert (code, out) == (0, "user alice added\n")
    assert (
        err == "warning: done, but the gateway could not put it into its log yet; its next start will: not a request\n"
    )


def test_a_look_at_a_directory_that_is_not_there_makes_none(run: Run, state: Path) -> None:
    missing = state.parent / "mistyped"
    assert run("user", "list", "--state", str(missing)).out == "no users yet: holdfast user add NAME\n"
    assert run("user", "list", "--json", "--state", str(missing)).out.strip() == "[]"
    assert not missing.exists()
