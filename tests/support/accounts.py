"""Processes of other accounts: real ones, which the kernel knows by their number."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.patience import patient

DAEMON, GAMES, MAIL, NEWS, NOBODY = 1, 5, 8, 9, 65534
"""Users (and, but for nobody, groups) that every Debian has. Their names are these words in small letters."""

# The code may lie where these accounts cannot read it: everything is loaded before the process becomes one of them.
PROGRAM = """
import contextlib, importlib, io, os, sys
from holdfast.cli import main
importlib.import_module(f"holdfast.cli.{main.COMMANDS[sys.argv[4]].module}")
for warming in ([sys.argv[4], "--help"], ["nonsense"]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main.main(warming)
uid, gid, groups = int(sys.argv[1]), int(sys.argv[2]), [int(text) for text in sys.argv[3].split(",") if text]
os.setgroups(groups)
os.setgid(gid)
os.setuid(uid)
os.environ["HOME"] = "/nonexistent"
sys.exit(main.main(sys.argv[4:]))
"""


def holdfast_as(uid: int, *arguments: str, gid: int = NOBODY, groups: tuple[int, ...] = ()) -> tuple[int, str]:
    """Run a command as another account; return its exit code and what it printed."""
    numbers = (str(uid), str(gid), ",".join(map(str, groups)))
    done = subprocess.run(
        (sys.executable, "-c", PROGRAM, *numbers, *arguments),
        capture_output=True,
        text=True,
        timeout=patient(30),
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Make a folder of root's in a place that everybody may pass, as the folders of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="holdfast-test-") as name:
        yield Path(name)
