"""Pseudonyms: the same for the same person, in every corner of a record, and gone with their key."""

from pathlib import Path

import pytest

from holdfast.errors import DisconnectReason, StateError
from holdfast.events import AuthenticationFailed, CallIdCollision, Connected, SessionEnded
from holdfast.observe import pseudonyms
from holdfast.observe.pseudonyms import ADDRESS, KEYS_FILE, USER, Keyring, Pseudonymiser
from holdfast.observe.record import build_record, encode


@pytest.fixture
def keyring(tmp_path: Path):
    keyring = Keyring(tmp_path)
    yield keyring
    keyring.close()


def test_a_pseudonym_stays_the_same_also_after_a_restart(tmp_path: Path) -> None:
    first = Keyring(tmp_path)
    pseudonym = first.pseudonym(USER, "alice")
    assert pseudonym.startswith("user-")
    assert first.pseudonym(USER, "alice") == pseudonym
    assert first.pseudonym(USER, "bob") != pseudonym
    assert first.pseudonym(ADDRESS, "alice") != pseudonym
    first.close()
    second = Keyring(tmp_path)
    assert second.pseudonym(USER, "alice") == pseudonym
    assert second.who(pseudonym) == "alice"
    second.close()
    assert (tmp_path / KEYS_FILE).stat().st_mode & 0o777 == 0o600


def test_it_cannot_be_computed_from_the_name(tmp_path: Path) -> None:
    pair = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        keyring = Keyring(tmp_path / name)
        pair.append(keyring.pseudonym(USER, "alice"))
        keyring.close()
    assert pair[0] != pair[1]


def test_what_is_forgotten_is_gone_from_the_file(tmp_path: Path, keyring: Keyring) -> None:
    old = keyring.pseudonym(USER, "alice-in-wonderland")
    keyring.pseudonym(USER, "bob")
    keyring.link("alice-in-wonderland", "203.0.113.7")
    address = keyring.pseudonym(ADDRESS, "203.0.113.7")
    assert keyring.forget("alice-in-wonderland") == 2
    assert keyring.who(old) is None
    assert keyring.who(address) is None
    assert keyring.who(keyring.pseudonym(USER, "bob")) == "bob"
    for path in tmp_path.iterdir():
        assert b"wonderland" not in path.read_bytes()
    assert keyring.pseudonym(USER, "alice-in-wonderland") != old
    assert keyring.forget("nobody") == 0


def test_a_flood_of_names_does_not_fill_the_disk(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonyms, "MOST_SUBJECTS", 3)
    found = [keyring.pseudonym(USER, f"guess{number}") for number in range(5)]
    assert found[3:] == ["user-unknown", "user-unknown"]
    assert keyring.pseudonym(USER, "guess1") == found[1]


def test_a_database_that_fails_names_nobody(keyring: Keyring) -> None:
    keyring.close()
    assert keyring.pseudonym(USER, "alice") == "user-unknown"
    keyring.link("alice", "203.0.113.7")
    with pytest.raises(StateError):
        keyring.find(USER, "alice")


CONTEXT = {
    "session": "5e55",
    "client_ip": "203.0.113.7",
    "server_ip": "192.0.2.1",
    "user": "alice",
    "address": "10.77.0.10",
}


@pytest.mark.parametrize(
    "event",
    [
        Connected("203.0.113.7:50123", "192.0.2.1:1723"),
        AuthenticationFailed("pap", "alice", 0, "alice is not known; 203.0.113.7 tried 3 times"),
        CallIdCollision(5, "203.0.113.7", "203.0.113.9"),
        SessionEnded(DisconnectReason.ECHO_TIMEOUT, "GRE from 203.0.113.7 stopped (alice)", "alice", 1, 2, 3, 4, 5.0),
    ],
)
def test_no_name_and_no_address_is_left(keyring: Keyring, event) -> None:
    record = Pseudonymiser(keyring).apply(build_record(event, CONTEXT, "2026-03-01T10:00:00.000+01:00"))
    text = encode(record).decode()
    assert "alice" not in text
    assert "203.0.113" not in text
    assert "10.77.0.10" not in text
    assert record["session"] == "5e55"
    assert record["server_ip"] == "192.0.2.1"
    assert record["user"] == keyring.pseudonym(USER, "alice")


def test_names_that_packets_tell_go_too(keyring: Keyring) -> None:
    record = {"event": "PPP_PACKET", "detail": "value=49 octets name=alice", "user": ""}
    assert "alice" not in Pseudonymiser(keyring).apply(record)["detail"]
    said = ['User-Name = "alice smith"', 'Calling-Station-Id = "203.0.113.7"']
    record = {"event": "RADIUS_PACKET", "attributes": said, "user": ""}
    text = str(Pseudonymiser(keyring).apply(record)["attributes"])
    assert "alice" not in text
    assert "203.0.113.7" not in text


def test_a_port_stays_and_a_word_that_holds_the_name_too(keyring: Keyring) -> None:
    disguise = Pseudonymiser(keyring)
    assert disguise.apply({"client": "203.0.113.7:50123"})["client"].endswith(":50123")
    assert disguise.apply({"user": "al", "detail": "also al and al-2"})["detail"].startswith("also user-")
    assert disguise.apply({"detail": "version 1.2.3 of 1.2.3.4.5"})["detail"] == "version 1.2.3 of 1.2.3.4.5"


@pytest.mark.parametrize(
    "record",
    [
        {"event": "ADMIN", "action": "trace", "target": "address 203.0.113.7, user alice"},
        {"event": "ADMIN", "action": "trace", "target": "user miss alice, user alice"},
        {"event": "ADMIN", "action": "unlock", "target": "alice at 203.0.113.7", "user": "alice"},
        {"event": "ADMIN", "action": "user set", "target": "miss alice: idle_timeout=9", "user": "miss alice"},
        {"event": "LOCKED", "account": "alice", "source": "203.0.113.7", "failures": 5},
        {"event": "LIMIT", "subject": "alice", "detail": "3 sessions of alice", "user": "alice"},
        {"event": "LIMIT", "subject": "203.0.113.7", "detail": "3 connections"},
        {"event": "LOG_EXPORTED", "selection": "user=alice severity=debug"},
    ],
)
def test_facts_about_somebody_name_nobody(keyring: Keyring, record: dict) -> None:
    text = str(Pseudonymiser(keyring).apply(record))
    assert "alice" not in text
    assert "203.0.113.7" not in text
    assert ("user-" in text) or ("addr-" in text)


def test_words_about_users_in_general_stay(keyring: Keyring) -> None:
    record = {"event": "TEARDOWN", "evidence": "no user packet for 900 s"}
    assert Pseudonymiser(keyring).apply(record) == record
