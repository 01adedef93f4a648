"""Notes on changes of users: there with the change, or neither."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.policy.store import Store
from holdfast.policy.user_changes import Act, UserChanges
from holdfast.policy.users import NoSuchUserError, UserExistsError, Users
from holdfast.secret import Secret

BY = "uid 1000"
PASSWORD = Secret.from_text("secret")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def acting(store: Store, action: str, *details: str, at: float = 100.0) -> Users:
    return Users(store, lambda: at, act=Act(action, BY, details))


def test_a_change_leaves_a_note_with_its_time_and_its_account(store: Store) -> None:
    acting(store, "user add").add("alice", PASSWORD)
    acting(store, "user set", "idle_timeout=900", "group=office", at=200.5).set_policy("alice", group="office")
    first, second = UserChanges(store).pending(10)
    assert (first.action, first.target, first.user, first.by, first.at) == ("user add", "alice", "alice", BY, 100.0)
    assert (second.target, second.at) == ("alice: idle_timeout=900, group=office", 200.5)
    assert second.number > first.number


def test_nobodys_act_leaves_none(store: Store) -> None:
    Users(store).add("alice", PASSWORD)
    assert UserChanges(store).pending(10) == []


def test_what_failed_leaves_none(store: Store) -> None:
    acting(store, "user add").add("alice", PASSWORD)
    with pytest.raises(UserExistsError):
        acting(store, "user add").add("alice", PASSWORD)
    for attempt in (
        lambda users: users.remove("bob"),
        lambda users: users.set_disabled("bob", True),
        lambda users: users.change_secret("bob", PASSWORD),
        lambda users: users.set_policy("bob", group="x"),
    ):
        with pytest.raises(NoSuchUserError):
            attempt(acting(store, "user x"))
    assert [change.action for change in UserChanges(store).pending(10)] == ["user add"]


def test_what_is_done_is_struck_out_and_what_came_meanwhile_stays(store: Store) -> None:
    changes = UserChanges(store)
    acting(store, "user add").add("alice", PASSWORD)
    (first,) = changes.pending(10)
    acting(store, "user disable").set_disabled("alice", True)
    changes.done(first.number)
    (second,) = changes.pending(10)
    assert second.action == "user disable"
    changes.done(second.number)
    acting(store, "user enable").set_disabled("alice", False)
    (third,) = changes.pending(10)
    assert third.number > second.number, "a number that came again could be struck out unseen"


def test_at_most_so_many_at_a_time(store: Store) -> None:
    for name in ("alice", "bob", "carol"):
        acting(store, "user import").add(name, PASSWORD)
    assert [change.user for change in UserChanges(store).pending(2)] == ["alice", "bob"]
