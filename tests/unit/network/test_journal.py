"""The journal of changes."""

from pathlib import Path

import pytest

from holdfast.errors import HostError
from holdfast.network.changes import AddAddress, AddRoute, AddRule, AddTable, SetLink, SetSysctl
from holdfast.network.files import ReplaceFile
from holdfast.network.journal import Entry, Journal
from holdfast.network.netlink import Route, Rule
from holdfast.network.resolved import UseResolved

ENTRIES = [
    Entry(AddAddress("hf0", "10.0.0.1/32", "10.0.0.2"), {}),
    Entry(SetLink("hf0", 1400), {"mtu": 1500, "up": False}),
    Entry(AddRoute(Route("10.0.0.0/8", "hf0", "192.0.2.1", 77, 5, "10.0.0.1")), {}),
    Entry(AddRule(Rule(100, 77, source="10.0.0.0/8", mark=5, invert=True)), {}),
    Entry(SetSysctl("net/ipv4/ip_forward", "1", ("net/*",)), {"before": "0", "dependents": {"net/x": "1"}}),
    Entry(AddTable("inet", "holdfast", ()), {}),
    Entry(ReplaceFile("/etc/resolv.conf", "nameserver é\n"), {"content": "eA==", "mode": 420, "uid": 0, "gid": 0}),
    Entry(UseResolved("hf0", ("10.0.0.1",), ("~.",)), {}),
]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path)
    made.own()
    return made


def test_every_kind_comes_back_as_it_was(journal: Journal) -> None:
    journal.write("here", ENTRIES[:3])
    journal.append(ENTRIES[3:])
    assert journal.read("here") == ENTRIES


def test_of_another_boot_only_files_matter(journal: Journal) -> None:
    journal.write("here", ENTRIES)
    assert [entry.change.kind for entry in journal.read("elsewhere")] == ["file"]


def test_it_is_private_and_gone_when_empty(journal: Journal, tmp_path: Path) -> None:
    journal.write("here", ENTRIES)
    assert (tmp_path / "network.journal").stat().st_mode & 0o777 == 0o600
    journal.write("here", [])
    assert not (tmp_path / "network.journal").exists()
    assert journal.read("here") == []


def test_one_owner_at_a_time(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path)
    with pytest.raises(HostError, match="running process"):
        other.own()
    journal.own()
    journal.release()
    other.own()


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_last_line_cut_short_never_happened(journal: Journal, tmp_path: Path, cut: int) -> None:
    journal.write("here", ENTRIES)
    path = tmp_path / "network.journal"
    path.write_bytes(path.read_bytes()[:-cut])
    assert journal.read("here") == ENTRIES[:-1]


@pytest.mark.parametrize("text", ["x\n", "[]\n", '{"identity": 1}\n{}\n', '{"identity": "here"}\n{"kind": "route"}\n'])
def test_what_is_damaged_is_said(journal: Journal, tmp_path: Path, text: str) -> None:
    (tmp_path / "network.journal").write_text(text)
    with pytest.raises(HostError, match="damaged"):
        journal.read("here")
