"""Word of sessions that came up: at once, and whole or not at all."""

import os
import resource
import signal
import subprocess
import sys

import pytest

from holdfast.errors import StateError
from holdfast.policy import accounting_journal
from holdfast.policy.accounting_journal import AccountingJournal, CameUp, Ended

ONE, TWO = CameUp(7, 1000.5, "abc", b"identity"), CameUp(9, 1001.0, "ärger", bytes(300))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "accounting.journal"


def left_behind(path) -> list[CameUp]:
    journal = AccountingJournal(path)
    try:
        return journal.entries()
    finally:
        journal.close()


def test_what_was_noted_is_there_for_the_next(path):
    journal = AccountingJournal(path)
    assert journal.entries() == []
    journal.note(ONE)
    journal.note(TWO)
    journal.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert left_behind(path) == [ONE, TWO]


def test_an_end_is_told_from_a_beginning(path):
    journal, end = AccountingJournal(path), Ended(8, 1000.75, "abc", b"counts and identity")
    for one in (ONE, end, TWO):
        journal.note(one)
    journal.close()
    assert left_behind(path) == [ONE, end, TWO]


@pytest.mark.parametrize("kept", [1, 7, 8, 20])
def test_half_an_entry_is_none(path, kept):
    journal = AccountingJournal(path)
    journal.note(ONE)
    whole = path.stat().st_size
    journal.note(TWO)
    journal.close()
    os.truncate(path, whole + kept)
    assert left_behind(path) == [ONE]
    journal = AccountingJournal(path)
    journal.note(TWO)
    journal.close()
    assert left_behind(path) == [ONE, TWO], "what came behind it is found"


def test_what_is_no_entry_ends_the_list(path):
    path.write_bytes(os.urandom(500))
    assert left_behind(path) == []
    journal = AccountingJournal(path)
    journal.clear()
    journal.note(ONE)
    journal.close()
    octets = bytearray(path.read_bytes())
    octets[-1] ^= 1
    path.write_bytes(octets)
    assert left_behind(path) == []


def test_it_is_emptied_once_it_is_long_and_everything_is_elsewhere(path, monkeypatch):
    monkeypatch.setattr(accounting_journal, "ENOUGH", 100)
    journal = AccountingJournal(path)
    journal.note(ONE)
    journal.written(ONE.number)
    assert journal.entries() == [ONE], "it is short"
    journal.note(TWO)
    journal.written(ONE.number)
    assert journal.entries() == [ONE, TWO], "the second one is nowhere else"
    journal.written(TWO.number)
    assert journal.entries() == []
    journal.note(ONE)
    assert journal.entries() == [ONE]
    journal.close()


KILLED = """
import pathlib, sys
from holdfast.policy.accounting_journal import AccountingJournal, CameUp
journal = AccountingJournal(pathlib.Path(sys.argv[1]))
for number in range(1, 10**6):
    journal.note(CameUp(number, 0.0, "s", b"identity"))
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_noted(path):
    writer = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    last = [int(writer.stdout.readline()) for _ in range(200)][-1]
    os.kill(writer.pid, signal.SIGKILL)
    told = writer.stdout.read().splitlines(keepends=True)
    last = max([last, *(int(line) for line in told if line.endswith("\n"))])
    writer.wait()
    writer.stdout.close()
    numbers = [one.number for one in left_behind(path)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= last


FULL = """
import pathlib, resource, signal, sys
from holdfast.errors import StateError
from holdfast.policy.accounting_journal import AccountingJournal, CameUp
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
journal = AccountingJournal(pathlib.Path(sys.argv[1]))
journal.note(CameUp(1, 0.0, "s", bytes(900)))
for number in (2, 3):
    try:
        journal.note(CameUp(number, 0.0, "s", bytes(200)))
    except StateError as error:
        print(error.what)
journal.note(CameUp(4, 0.0, "s", b""))
print([one.number for one in journal.entries()])
"""


def test_a_disk_without_room_is_told_and_leaves_no_half_entry(path):
    assert hasattr(signal, "SIGXFSZ")
    assert hasattr(resource, "RLIMIT_FSIZE")
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    *faults, numbers = done.stdout.splitlines()
    assert len(faults) == 2
    assert all("journal cannot be used" in line for line in faults)
    assert numbers == "[1, 4]"


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(StateError, match="journal"):
        AccountingJournal(tmp_path / "nowhere" / "journal")
