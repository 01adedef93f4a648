"""What holds for a user."""

from ipaddress import IPv4Network

from holdfast.policy.effective import Layer, layers_of
from holdfast.policy.groups import Group, PolicyBook
from holdfast.policy.overrides import read_overrides
from holdfast.policy.ranges import AddressRange
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
    assert BOOK.of(user(), "192.0.2.9").policy.group == "office"
    found = BOOK.of(None, "192.0.2.9")
    assert (found.policy.group, found.origin("group")) == ("office", "network 192.0.2.0/24")
    assert BOOK.of(user(), "203.0.113.1").policy.group == ""
    assert BOOK.of(user(group="other"), "192.0.2.9").policy.idle_timeout == 900


def test_a_user_goes_before_the_group_and_radius_before_all() -> None:
    alice = user(group="office", settings={"idle_timeout": 60, "preset": ["cap-1h"]})
    found = BOOK.of(alice, "203.0.113.1")
    assert (found.policy.idle_timeout, found.origin("idle_timeout")) == (60, "user alice")
    assert found.policy.session_timeout == 3600
    found = BOOK.of(alice, "203.0.113.1", Layer.of({"idle_timeout": 5.0}, "RADIUS"))
    assert (found.policy.idle_timeout, found.origin("idle_timeout")) == (5, "RADIUS")


def test_radius_may_name_the_group_if_the_file_has_it() -> None:
    alice = user(group="other")
    assert BOOK.of(alice, "203.0.113.1").origin("group") == "user alice"
    named = BOOK.of(alice, "203.0.113.1", Layer.of({"group": "office"}, "RADIUS r: Mikrotik-Group"))
    assert (named.policy.group, named.origin("group")) == ("office", "RADIUS r: Mikrotik-Group")
    assert (named.policy.idle_timeout, named.unusable) == (300, ())
    unknown = BOOK.of(alice, "192.0.2.9", Layer.of({"group": "sales"}, "RADIUS r: Mikrotik-Group"))
    assert unknown.policy.group == "other"
    assert unknown.unusable == ("RADIUS r: Mikrotik-Group = 'sales': the configuration has no [groups.sales]",)


def test_an_address_of_ones_own_names_its_place() -> None:
    found = BOOK.of(user(addresses=(AddressRange.parse("10.77.0.7"),)), "203.0.113.1")
    assert (found.policy.address, found.origin("address")) == (("10.77.0.7",), "user alice")
    record = UserRecord("bob", SecretKind.PASSWORD, "chap-secrets", addresses=(AddressRange.parse("10.77.0.8"),))
    assert BOOK.of(record, "203.0.113.1").origin("address") == "user bob (chap-secrets)"
    radius = Layer.of({"address": ("10.77.0.9",)}, "RADIUS r: Framed-IP-Address")
    assert BOOK.of(record, "203.0.113.1", radius).policy.address == ("10.77.0.9",)


def test_settings_of_another_version_are_left_out_one_by_one() -> None:
    odd = user(settings={"idle_timeout": 60, "colour": "red", "session_timeout": "soon"})
    found = BOOK.of(odd, "203.0.113.1")
    assert (found.policy.idle_timeout, found.policy.session_timeout) == (60, 0)
