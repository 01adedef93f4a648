"""What holds for a user."""

from ipaddress import IPv4Network

from holdfast.policy.effective import Layer, layers_of
from holdfast.policy.groups import Group, PolicyBook
from holdfast.policy.overrides import read_overrides
from holdfast.policy.records import SecretKind, UserRecord

OFFICE = Group(
    "office",
    read_overrides({"idle_timeout": 300, "single_session": "deny"}),
    (IPv4Network("192.0.2.0/24"),),
    {"idle_timeout": "h.toml:7"},
)
BOOK = PolicyBook(layers_of(read_overrides({"idle_timeout": 900}), "h.toml"), {"office": OFFICE})


def user(**fields) -> UserRecord:
    return UserRecord("alice", SecretKind.PASSWORD, "database", **fields)


def test_before_anybody_signed_in_the_file_holds() -> None:
    assert (BOOK.base.policy.idle_timeout, BOOK.base.origin("idle_timeout")) == (900, "h.toml")


def test_a_user_of_a_group() -> None:
    found = BOOK.of(user(group="office"), "203.0.113.1")
    assert (found.policy.idle_timeout, found.origin("idle_timeout")) == (300, "group office (h.toml:7)")
    assert found.origin("single_session") == "group office"


def test_a_network_makes_a_group_for_those_without_one() -> None:
    assert BOOK.group_of(user(), "192.0.2.9") == "office"
    assert BOOK.group_of(None, "192.0.2.9") == "office"
    assert BOOK.group_of(user(), "203.0.113.1") == ""
    assert BOOK.of(user(group="other"), "192.0.2.9").policy.idle_timeout == 900


def test_a_user_goes_before_the_group_and_radius_before_all() -> None:
    alice = user(group="office", settings={"idle_timeout": 60, "preset": ["cap-1h"]})
    found = BOOK.of(alice, "203.0.113.1")
    assert (found.policy.idle_timeout, found.origin("idle_timeout")) == (60, "user alice")
    assert found.policy.session_timeout == 3600
    found = BOOK.of(alice, "203.0.113.1", Layer.of({"idle_timeout": 5.0}, "RADIUS"))
    assert (found.policy.idle_timeout, found.origin("idle_timeout")) == (5, "RADIUS")


def test_settings_of_another_version_are_left_out_one_by_one() -> None:
    odd = user(settings={"idle_timeout": 60, "colour": "red", "session_timeout": "soon"})
    found = BOOK.of(odd, "203.0.113.1")
    assert (found.policy.idle_timeout, found.policy.session_timeout) == (60, 0)
