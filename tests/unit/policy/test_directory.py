"""Several sources as one."""

from collections.abc import Mapping
from ipaddress import ip_address

from holdfast.policy.directory import Directory
from holdfast.policy.ranges import Address
from holdfast.policy.records import AccountState, Credentials, SecretKind, UserRecord
from holdfast.secret import Secret


class Table:
    """A source made of a dict: name -> disabled."""

    def __init__(self, label: str, known: dict[str, bool], dedicated: Mapping[Address, str] | None = None) -> None:
        self._label, self._known, self._dedicated = label, known, dedicated or {}

    def find(self, name: str) -> Credentials | None:
        if name not in self._known:
            return None
        record = UserRecord(name, SecretKind.PASSWORD, self._label, disabled=self._known[name])
        return Credentials(record, Secret(b"x"))

    def dedicated(self) -> Mapping[Address, str]:
        return self._dedicated


def test_the_first_source_that_knows_a_name_decides() -> None:
    directory = Directory([Table("one", {"alice": True}), Table("two", {"alice": False, "bob": False})])
    alice, bob = directory.look_up(b"alice", 0.0), directory.look_up(b"bob", 0.0)
    assert alice.record is not None
    assert (alice.record.source, alice.state) == ("one", AccountState.DISABLED)
    assert bob.record is not None
    assert (bob.record.source, bob.state) == ("two", AccountState.ACTIVE)


def test_nobody() -> None:
    answer = Directory([Table("one", {})]).look_up(b"alice", 0.0)
    assert answer.credentials is None
    assert answer.record is None
    assert Directory([]).look_up(b"alice", 0.0).record is None


def test_windows_names_with_and_without_their_domain() -> None:
    directory = Directory([Table("one", {"alice": False, "CORP\\bob": False, "bob": True})])
    alice, bob = directory.look_up(b"CORP\\alice", 0.0).record, directory.look_up(b"CORP\\bob", 0.0).record
    assert alice is not None
    assert alice.name == "alice"
    assert bob is not None
    assert bob.name == "CORP\\bob"


def test_octets_that_are_no_name_ask_no_source() -> None:
    class Never(Table):
        def find(self, name: str) -> Credentials | None:
            raise AssertionError(name)

    directory = Directory([Never("never", {})])
    for octets in (b"", b"\xff\xfe", b"a\x00b", b"x" * 256, b"\xed\xa0\x80"):
        assert directory.look_up(octets, 0.0).record is None
    assert directory.record("a\ud800") is None


def test_the_record_of_a_canonical_name() -> None:
    directory = Directory([Table("one", {"alice": False})])
    record = directory.record("alice")
    assert record is not None
    assert record.name == "alice"
    assert directory.record("bob") is None


def test_dedications_of_all_sources() -> None:
    five, six = ip_address("10.0.0.5"), ip_address("10.0.0.6")
    directory = Directory([Table("one", {}, {five: "alice"}), Table("two", {}, {five: "eve", six: "bob"})])
    assert dict(directory.dedicated()) == {five: "alice", six: "bob"}
