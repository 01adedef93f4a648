"""What the file says of sessions, with its lines."""

from ipaddress import IPv4Network

from holdfast.config import parse
from holdfast.gateway.policy_settings import (
    BEFORE_LOGIN,
    admission_rules,
    before_login,
    guessing_rules,
    lockout_rules,
    policy_book,
)
from holdfast.policy.admission import AdmissionRules
from holdfast.policy.guessing import GuessingRules
from holdfast.policy.lockout import LockoutRules
from holdfast.policy.records import SecretKind, UserRecord

TEXT = """[timeouts]
preset = ["mobile", "cap-1h"]
idle_timeout = 900
[ppp]
lcp_echo_interval = 7
[limits]
sessions = 5
single_session = "deny"
[admission]
hours = "mon-fri 08:00-18:00"
deny = ["192.0.2.0/24"]
failed_logins = 7
spray_accounts = 8
siege_addresses = 9
[groups.office]
preset = "fast-failover"
idle_timeout = 0
networks = ["198.51.100.0/24"]
"""


def test_everybody() -> None:
    base = policy_book(parse(TEXT, "h.toml")).base
    shown = {one["key"]: (one["value"], one["origin"]) for one in base.settings()}
    assert shown["lcp_echo_interval"] == (7, "h.toml:5")
    assert shown["lcp_echo_failures"] == (4, "preset mobile (h.toml:2)")
    assert shown["session_timeout"] == (3600, "preset cap-1h (h.toml:2)")
    assert shown["idle_timeout"] == (900, "h.toml:3")
    assert shown["single_session"] == ("deny", "h.toml:8")
    assert shown["hours"] == ("mon-fri 08:00-18:00", "h.toml:10")
    assert shown["volume_limit"] == (0, "default")


def test_a_group() -> None:
    book = policy_book(parse(TEXT, "h.toml"))
    alice = UserRecord("alice", SecretKind.PASSWORD, "database", group="office")
    for record, address in ((alice, "192.0.2.1"), (None, "198.51.100.9")):
        found = book.of(record, address)
        assert (found.policy.idle_timeout, found.origin("idle_timeout")) == (0, "group office (h.toml:17)")
        assert found.origin("lcp_echo_interval") == "preset fast-failover (group office (h.toml:16))"
        assert (found.policy.lcp_echo_interval, found.policy.lcp_echo_failures) == (5, 3)


def test_without_a_file_everything_is_a_default() -> None:
    base = policy_book(parse("")).base
    assert {one["origin"] for one in base.settings() if one["key"] != "dns"} == {"default"}


def test_rules_of_the_door_and_of_logins() -> None:
    config = parse(TEXT).config
    rules = admission_rules(config)
    assert (rules.sessions, rules.deny, rules.connections) == (5, (IPv4Network("192.0.2.0/24"),), 20_000)
    assert lockout_rules(config).per_account_and_source == 7
    assert admission_rules(parse("").config) == AdmissionRules()
    assert lockout_rules(parse("").config) == LockoutRules()
    assert guessing_rules(config) == GuessingRules(8, 9)
    assert guessing_rules(parse("").config) == GuessingRules()


def test_what_nobody_can_override() -> None:
    shown = {one["key"]: one for one in before_login(parse(TEXT, "h.toml"))}
    assert set(shown) == set(BEFORE_LOGIN)
    assert (shown["limits.sessions"]["value"], shown["limits.sessions"]["origin"]) == (5, "h.toml:7")
