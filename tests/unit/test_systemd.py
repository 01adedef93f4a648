"""Telling the service manager."""

import os
import socket

import pytest

from holdfast.systemd import journal_keeps, notify, watchdog_interval


def test_the_manager_hears_it(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_without_a_manager_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")


@pytest.mark.parametrize(
    ("limit", "owner", "expected"),
    [
        ("30000000", None, 15),
        ("30000000", "own", 15),
        ("30000000", "1", None),
        ("0", None, None),
        ("x", None, None),
    ],
)
def test_the_watchdog_is_told_twice_in_its_time(monkeypatch, limit, owner, expected):
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if owner is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if owner == "own" else owner)
    assert watchdog_interval() == expected


def test_without_a_watchdog(monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_interval() is None


def test_what_the_journal_keeps(tmp_path, monkeypatch):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    with (tmp_path / "f").open("w") as file:
        assert not journal_keeps(file.fileno())
        found = os.fstat(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert journal_keeps(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:1")
        assert not journal_keeps(file.fileno())
    assert not journal_keeps(-1)
