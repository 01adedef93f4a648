"""The command as a whole: help, version, exit codes, and how soon it answers."""

import importlib.util
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import __version__
from holdfast.cli.main import COMMANDS, load
from unit.cli.conftest import Run


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_names_every_command(run: Run, arguments: list[str]) -> None:
    code, out, _ = run(*arguments)
    assert code == 0
    for name, command in COMMANDS.items():
        assert name in out
        assert command.help in out
    assert "PPTP is weak" in out


def test_no_arguments_means_help_and_wrong_usage(run: Run) -> None:
    code, out, err = run()
    assert code == 2
    assert "Usage: holdfast" in out + err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_and_teaches(run: Run, name: str) -> None:
    assert importlib.util.find_spec(f"holdfast.cli.{COMMANDS[name].module}") is not None
    assert load(name).name == name
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"holdfast {name}" in out
    assert "--install-completion" not in out


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"holdfast {__version__}\n", "")


def test_a_misspelt_command(run: Run) -> None:
    code, _, err = run("usr", "list")
    assert code == 2
    assert "Did you mean 'user'?" in err


@pytest.mark.parametrize("arguments", [["user", "lst"], ["user", "add"], ["user", "list", "--jsn"], ["--nonsense"]])
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: holdfast" in err


def test_an_error_for_people_is_no_traceback(run: Run) -> None:
    code, out, err = run("user", "remove", "alice", "--state", "/dev/null/x")
    assert (code, out) == (2, "")
    assert err.startswith("holdfast: /dev/null/x: the state directory cannot be used: Not a directory\n  ")


def test_ctrl_c_ends_quietly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    run("user", "add", "alice", "--password-stdin", stdin=b"a password of hers\n")
    monkeypatch.setattr("holdfast.policy.users.Users.list", interrupt)
    code, out, err = run("user", "list")
    assert (code, out) == (130, "")
    assert "Traceback" not in err


CRASH = """
import io, sys
from holdfast.cli.main import main
from holdfast.policy.users import Users

def crash(users, name, secret, *rest, **more):
    clear = secret.reveal().decode()
    raise RuntimeError("a fault of our own")

Users.add = crash
sys.stdin = io.TextIOWrapper(io.BytesIO(b"hidden phrase\\n"))
main(["user", "add", "alice", "--password-stdin"])
"""


def test_a_crash_does_not_print_its_variables(tmp_path: Path) -> None:
    """The library can dress a traceback up with the local variables of every frame, secrets among them."""
    environment = {**os.environ, "HOLDFAST_STATE": str(tmp_path / "state")}
    ran = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode != 0
    assert "a fault of our own" in ran.stderr
    assert "hidden" not in ran.stdout + ran.stderr


def test_a_reader_that_leaves_is_no_disaster() -> None:
    command = [sys.executable, "-m", "holdfast.cli.main", "config", "show"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(timeout=120)
    assert "Traceback" not in err


def test_help_comes_at_once() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "COLUMNS": "120"}
    subprocess.run([sys.executable, "-m", "holdfast.cli.main", "--help"], check=True, stdout=-3, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Meant to be below 0.4 s; CPU time, because the machine may be busy.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.8


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from holdfast.cli.main import main; main(['--help']); "
        "sys.exit([m for m in ('sqlalchemy', 'pydantic', 'pyroute2', 'Crypto') if m in sys.modules] or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_no_core_dump_keeps_what_is_in_memory() -> None:
    ask = "import resource as r; limit = r.RLIMIT_CORE; r.setrlimit(limit, (r.getrlimit(limit)[1],) * 2); "
    after = "from holdfast.cli.main import main; main(['--version']); print(r.getrlimit(limit)[0])"
    made = subprocess.run([sys.executable, "-c", ask + after], capture_output=True, text=True, check=True)
    assert made.stdout.splitlines()[-1] == "0"
