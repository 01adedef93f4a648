"""Users in the database."""

import time
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from holdfast.errors import StateError
from holdfast.policy.names import UnacceptableError
from holdfast.policy.ranges import AddressRange
from holdfast.policy.records import SecretKind
from holdfast.policy.store import Store
from holdfast.policy.users import SOURCE, NoSuchUserError, UserExistsError, Users
from holdfast.secret import Secret
from unit.policy.conftest import Clock

SECRET = Secret(b"correct horse")
ADDRESS = ip_address("10.77.0.5")


def test_a_user_with_everything(users: Users, clock: Clock) -> None:
    record = users.add("alice", SECRET, address=ADDRESS, expires=clock.now + 5)
    assert record == users.get("alice") == users.list()[0]
    assert (record.kind, record.source, record.disabled) == (SecretKind.PASSWORD, SOURCE, False)
    assert record.addresses == (AddressRange.single(ADDRESS),)
    assert (record.expires, record.created, record.changed) == (clock.now + 5, clock.now, clock.now)


def test_found_with_the_secret(users: Users) -> None:
    users.add("alice", SECRET)
    users.add("bob", Secret(bytes(16)), SecretKind.NT_HASH)
    alice, bob = users.find("alice"), users.find("bob")
    assert alice is not None
    assert bob is not None
    assert alice.secret == SECRET
    assert (bob.secret.reveal(), bob.record.kind) == (bytes(16), SecretKind.NT_HASH)
    assert users.find("Alice") is None
    assert "correct horse" not in repr(alice)


def test_a_name_is_taken_once(users: Users) -> None:
    users.add("alice", SECRET)
    with pytest.raises(UserExistsError, match="there is a user 'alice' already"):
        users.add("alice", SECRET)


def test_an_address_is_dedicated_once(users: Users) -> None:
    users.add("alice", SECRET, address=ADDRESS)
    with pytest.raises(UserExistsError, match=r"10\.77\.0\.5 belongs to user 'alice'"):
        users.add("bob", SECRET, address=ADDRESS)
    users.add("bob", SECRET)
    with pytest.raises(UserExistsError, match="belongs to user 'alice'"):
        users.set_address("bob", ADDRESS)
    users.set_address("alice", None)
    users.set_address("bob", ADDRESS)
    assert users.holder_of(ADDRESS) == "bob"


def test_asking_before_the_password_is_typed(users: Users) -> None:
    users.add("alice", SECRET, address=ADDRESS)
    users.check_free("bob")
    users.check_free("bob", ip_address("10.77.0.6"))
    with pytest.raises(UserExistsError, match="'alice' already"):
        users.check_free("alice")
    with pytest.raises(UserExistsError, match="belongs to"):
        users.check_free("bob", ADDRESS)


def test_changes(users: Users, clock: Clock) -> None:
    users.add("alice", SECRET)
    clock.now += 10
    users.change_secret("alice", Secret(bytes(16)), SecretKind.NT_HASH)
    users.set_disabled("alice", True)
    users.set_expires("alice", 5.0)
    found = users.find("alice")
    assert found is not None
    assert found.secret.reveal() == bytes(16)
    record = found.record
    assert (record.kind, record.disabled, record.expires) == (SecretKind.NT_HASH, True, 5.0)
    assert record.changed == clock.now == (record.created or 0) + 10


def test_removing(users: Users) -> None:
    users.add("alice", SECRET)
    users.remove("alice")
    assert users.find("alice") is None
    assert users.count() == 0
    users.add("alice", SECRET)


@pytest.mark.parametrize(
    "act",
    [
        lambda users: users.get("nobody"),
        lambda users: users.remove("nobody"),
        lambda users: users.set_disabled("nobody", True),
        lambda users: users.change_secret("nobody", SECRET),
        lambda users: users.set_address("nobody", ADDRESS),
        lambda users: users.set_expires("nobody", 5.0),
    ],
)
def test_nobody(users: Users, act: Callable[[Users], object]) -> None:
    with pytest.raises(NoSuchUserError, match="there is no user 'nobody'"):
        act(users)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 5000, "'; DROP TABLE users; --\x00"])
def test_hostile_names_do_not_get_in(users: Users, name: str) -> None:
    with pytest.raises(UnacceptableError):
        users.add(name, SECRET)
    assert users.list() == []


def test_a_name_that_looks_like_sql_is_a_name(users: Users) -> None:
    users.add("'; DROP TABLE users; --", SECRET)
    assert users.find("'; DROP TABLE users; --") is not None


def test_a_secret_moved_to_another_user_does_not_open(users: Users, store: Store) -> None:
    users.add("alice", SECRET)
    users.add("mallory", Secret(b"known to mallory"))
    with store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE users SET sealed = (SELECT sealed FROM users WHERE name = 'mallory') WHERE name = 'alice'"
        )
    with pytest.raises(StateError, match="does not open"):
        users.find("alice")


def test_dedicated_addresses_are_known_at_once_to_others(users: Users, store: Store) -> None:
    other = Users(store)
    assert other.dedicated() == {}
    users.add("alice", SECRET, address=ADDRESS)
    assert other.dedicated() == {ADDRESS: "alice"}
    users.set_address("alice", None)
    assert other.dedicated() == {}
    users.set_address("alice", ADDRESS)
    users.remove("alice")
    assert other.dedicated() == {}


def test_looking_up_is_quick_among_many(users: Users, store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO users "
            "SELECT 'filler' || i, 'password', x'00', 0, NULL, NULL, 0, 0 FROM n"
        )
    users.add("alice", SECRET)
    before = time.process_time()
    for _ in range(200):
        users.find("alice")
    # Meant to be below 1 ms each; ten times that still tells an index from a scan.
    assert time.process_time() - before < 2.0


def test_a_user_has_settings_of_its_own_and_a_group(users: Users) -> None:
    users.add("alice", SECRET)
    assert (users.get("alice").group, users.get("alice").settings) == ("", {})
    users.set_policy("alice", group="office", settings={"idle_timeout": 900.0, "preset": ["mobile"]})
    users.set_policy("alice", settings={"idle_timeout": None, "single_session": "deny"})
    found = users.find("alice")
    assert found is not None
    assert found.record == users.get("alice") == users.list()[0]
    assert found.record.group == "office"
    assert found.record.settings == {"preset": ["mobile"], "single_session": "deny"}
    users.set_policy("alice", group="", settings={"preset": None, "single_session": None})
    assert (users.get("alice").group, users.get("alice").settings) == ("", {})
    with pytest.raises(NoSuchUserError):
        users.set_policy("bob", group="office")


def test_a_user_who_comes_back_has_no_old_settings(users: Users) -> None:
    users.add("alice", SECRET)
    users.set_policy("alice", group="office")
    users.remove("alice")
    users.add("alice", SECRET)
    assert users.get("alice").group == ""
