"""The first user."""

from random import Random

from holdfast.policy.first_start import ALPHABET, FIRST_USER, make_first_user, readable_password
from holdfast.policy.store import Store
from holdfast.policy.users import Users
from holdfast.secret import Secret


def test_the_first_start_makes_a_user_that_works(store: Store) -> None:
    first = make_first_user(store)
    assert first is not None
    assert first.name == FIRST_USER
    found = Users(store).find(FIRST_USER)
    assert found is not None
    assert found.secret == first.password
    assert first.password.reveal().decode() not in repr(first)


def test_only_the_first(store: Store) -> None:
    make_first_user(store)
    assert make_first_user(store) is None
    Users(store).remove(FIRST_USER)
    assert make_first_user(store) is None


def test_not_where_there_are_users(store: Store) -> None:
    users = Users(store)
    users.add("alice", Secret(b"x"))
    assert make_first_user(store) is None
    users.remove("alice")
    assert make_first_user(store) is None


def test_the_password_is_readable_and_has_a_hundred_bits() -> None:
    text = readable_password(Random(5).randbytes).reveal().decode()
    groups = text.split("-")
    assert [len(group) for group in groups] == [4] * 5
    assert set("".join(groups)) <= set(ALPHABET)
    assert len(set(ALPHABET)) == 32
    assert not set(ALPHABET) & set("lo01")


def test_each_octet_of_randomness_counts_the_same() -> None:
    every = readable_password(lambda size: bytes(range(size)))
    assert every.reveal().replace(b"-", b"").decode() == ALPHABET[:20]
    assert readable_password() != readable_password()
