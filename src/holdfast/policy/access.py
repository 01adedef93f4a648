"""Which accounts of this machine may do what with a running gateway."""

import grp
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

GROUP_MARK = "@"
"""What stands before the name of a group where users and groups are listed."""


class Role(IntEnum):
    """What an account may do; each may do what the ones before it may."""

    NOBODY = 0
    VIEWER = 1
    """Look: who is on, how the gateway is, what holds for a session and why."""
    OPERATOR = 2
    """Act on sessions and on the gateway."""
    OWNER = 3
    """Everything: root, and the user that the gateway runs as."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users and groups of this machine, by number."""

    users: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()

    def __or__(self, other: "Accounts") -> "Accounts":
        return Accounts(self.users | other.users, self.groups | other.groups)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may look and who may act, besides the owner."""

    viewers: Accounts = Accounts()
    operators: Accounts = Accounts()

    @property
    def everyone(self) -> Accounts:
        """All who may do anything."""
        return self.viewers | self.operators

    def role(self, uid: int, groups: frozenset[int] = frozenset()) -> Role:
        """Return what a user in these groups may do."""
        if uid in (0, os.geteuid()):
            return Role.OWNER
        for accounts, role in ((self.operators, Role.OPERATOR), (self.viewers, Role.VIEWER)):
            if uid in accounts.users or groups & accounts.groups:
                return role
        return Role.NOBODY


def find_accounts(names: Iterable[str]) -> tuple[Accounts, list[str]]:
    """Look up users (`name`) and groups (`@name`); return their numbers, and the names that this machine has not."""
    users, groups, unknown = set[int](), set[int](), list[str]()
    for name in names:
        try:
            if name.startswith(GROUP_MARK):
                groups.add(grp.getgrnam(name.removeprefix(GROUP_MARK)).gr_gid)
            else:
                users.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            unknown.append(name)
    return Accounts(frozenset(users), frozenset(groups)), unknown


def groups_of(uid: int, gid: int) -> frozenset[int]:
    """Return the groups of a user as this machine knows them now, and `gid`. May wait for a directory of names."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return frozenset({gid})
    return frozenset(os.getgrouplist(name, gid))
