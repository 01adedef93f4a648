"""The log at a real systemd-journald, which has a /run of its own here."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.observe.sinks.journald import Journal
from unit.observe.sinks.receivers import LINES, until

PROGRAM = shutil.which("systemd-journald", path="/lib/systemd:/usr/lib/systemd")
PATIENCE = 60.0
OWN_RUN = 'mount --bind "$0" /run && mkdir -p /run/systemd/journal /run/log/journal && exec "$1"'

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(PROGRAM is None, reason="systemd-journald (Debian package systemd) is not installed"),
]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """The /run of a journald."""
    folder = tmp_path / "run"
    folder.mkdir()
    with (tmp_path / "output").open("wb") as output:
        command = ("unshare", "--mount", "sh", "-c", OWN_RUN, folder, str(PROGRAM))
        journald = subprocess.Popen(command, stdout=output, stderr=output)
    until(lambda: (folder / "systemd/journal/socket").is_socket() or journald.poll() is not None, PATIENCE)
    assert journald.poll() is None, (tmp_path / "output").read_text()
    yield folder
    journald.terminate()
    journald.wait(PATIENCE)


def entries(run: Path, *matches: str) -> list[dict[str, str]]:
    """What journalctl finds."""
    command = ("journalctl", "-D", str(run / "log/journal"), "-o", "json", "--no-pager", "-q", *matches)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_journalctl_finds_what_was_logged_by_its_fields(run: Path) -> None:
    sink = Journal("journald", run / "systemd/journal/socket")
    long = LINES[0].replace(b"wrong password", b"x" * 400_000)
    sink.send([*LINES, long])
    sink.close()
    until(lambda: len(entries(run, "SYSLOG_IDENTIFIER=holdfast")) == 3, PATIENCE)
    (first, *_) = entries(run, "HOLDFAST_EVENT=AUTH_FAIL")
    assert (first["PRIORITY"], first["HOLDFAST_USER"], first["HOLDFAST_RESULT_CODE"]) == ("4", "zoë", "691")
    (second,) = entries(run, "HOLDFAST_DURATION=1.5")
    assert second["HOLDFAST_DNS"] == "10.0.0.1,10.0.0.2"
