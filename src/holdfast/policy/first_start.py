"""A gateway that starts for the first time makes its first user, so that there is something to connect with."""

import secrets
from dataclasses import dataclass

from holdfast.machine import Entropy
from holdfast.policy.store import Store
from holdfast.policy.users import Users
from holdfast.secret import Secret

FIRST_USER = "holdfast"

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 characters that nobody takes for one another: no l, o, 0, 1."""

GROUPS, GROUP_SIZE = 5, 4
"""20 characters of 5 bits: 100 bits, in groups that can be read aloud."""


@dataclass(frozen=True, slots=True)
class FirstUser:
    """The user that was made. The password is shown once and never again."""

    name: str
    password: Secret


def make_first_user(store: Store, entropy: Entropy = secrets.token_bytes) -> FirstUser | None:
    """Make the first user, once in the life of a database and only while it has no users. None when it is not due."""
    users = Users(store)
    if not store.mark("first-start") or users.count():
        return None
    password = readable_password(entropy)
    users.add(FIRST_USER, password)
    return FirstUser(FIRST_USER, password)


def readable_password(entropy: Entropy = secrets.token_bytes) -> Secret:
    """Make a strong password that can be read aloud and typed on any keyboard."""
    letters = [ALPHABET[octet % len(ALPHABET)] for octet in entropy(GROUPS * GROUP_SIZE)]
    groups = ["".join(letters[start : start + GROUP_SIZE]) for start in range(0, len(letters), GROUP_SIZE)]
    return Secret.from_text("-".join(groups))
