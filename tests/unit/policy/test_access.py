"""Which account may do what."""

import grp
import os
import pwd

import pytest

from holdfast.policy.access import Access, Accounts, Role, find_accounts, groups_of

ACCESS = Access(
    viewers=Accounts(frozenset({11, 33}), frozenset({100})), operators=Accounts(frozenset({22, 33}), frozenset({200}))
)


@pytest.mark.parametrize(
    ("uid", "groups", "role"),
    [
        (0, set(), Role.OWNER),
        (11, set(), Role.VIEWER),
        (22, set(), Role.OPERATOR),
        (33, set(), Role.OPERATOR),
        (44, {100}, Role.VIEWER),
        (44, {200}, Role.OPERATOR),
        (11, {200}, Role.OPERATOR),
        (44, {300}, Role.NOBODY),
        (100, set(), Role.NOBODY),
    ],
)
def test_roles(uid: int, groups: set[int], role: Role) -> None:
    assert ACCESS.role(uid, frozenset(groups)) is role


def test_the_gateways_own_user_is_an_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 990)
    assert Access().role(990) is Role.OWNER
    assert Access().role(991) is Role.NOBODY


def test_names_become_numbers_and_unknown_ones_are_named() -> None:
    found, unknown = find_accounts(["root", "@root", "no-such-user", "@no-such-group"])
    assert found == Accounts(frozenset({0}), frozenset({0}))
    assert unknown == ["no-such-user", "@no-such-group"]


def test_groups_are_those_that_the_machine_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert grp.getgrnam("root").gr_gid in groups_of(0, 0)

    def unknown(_uid: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert groups_of(4242, 77) == {77}
