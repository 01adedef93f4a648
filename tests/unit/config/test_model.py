"""Defaults, and rules for single keys."""

import pytest
from pydantic import ValidationError

from holdfast.config import Config, InvalidConfigError, MppeModes, MppePolicy, parse


def test_the_defaults_are_the_safest_that_work() -> None:
    ppp = Config().ppp
    assert ppp.authentication == ("ms-chap-v2",)
    assert ppp.mppe is MppePolicy.REQUIRE
    assert ppp.mppe_bits == (128,)
    assert ppp.mppe_mode is MppeModes.STATELESS
    assert not Config().addresses.client_wish


def test_the_defaults_of_the_rfcs() -> None:
    config = Config()
    assert (config.ppp.restart_timer, config.ppp.max_configure) == (3.0, 10)
    assert (config.ppp.max_terminate, config.ppp.max_failure) == (2, 5)
    assert (config.gateway.echo_interval, config.gateway.echo_timeout) == (60.0, 60.0)


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Config().ppp.mtu = 1500


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("gateway", "max_connections = 0"),
        ("gateway", 'max_connections = "5"'),
        ("gateway", "max_connections = true"),
        ("gateway", "setup_timeout = 0"),
        ("gateway", "setup_timeout = -1.0"),
        ("gateway", "echo_interval = inf"),
        ("gateway", "echo_timeout = nan"),
        ("gateway", "echo_timeout = 1e9"),
        ("gateway", "listen = []"),
        ("gateway", 'listen = "0.0.0.0"'),
        ("gateway", 'tun_name = "a/b"'),
        ("gateway", 'tun_name = "sixteen-letters-"'),
        ("gateway", f'host_name = "{"x" * 64}"'),
        ("gateway", 'vendor = "caf\u00e9"'),
        ("gateway", 'vendor = "a\\nb"'),
        ("addresses", "pool = []"),
        ("addresses", "nat = 1"),
        ("addresses", 'dns = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]'),
        ("addresses", 'wins = ["0.0.0.0"]'),
        ("ppp", "authentication = []"),
        ("ppp", 'authentication = ["eap"]'),
        ("ppp", "mppe_bits = []"),
        ("ppp", "mppe_bits = [64]"),
        ("ppp", 'mppe_mode = "sometimes"'),
        ("ppp", "mtu = 575"),
        ("ppp", "mtu = 1501"),
        ("ppp", "mru = 1400.5"),
        ("ppp", "max_configure = 0"),
        ("ppp", "max_failure = 256"),
        ("ppp", "lcp_echo_interval = -1"),
        ("users", "chap_secrets = 5"),
        ("users", 'chap_secrets_server = ""'),
        ("users", 'chap_secrets = "chap-secrets"'),
        ("log", 'file = "../events.jsonl"'),
        ("log", 'level = "loud"'),
    ],
)
def test_bad_values_name_their_key(section: str, line: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse(f"[{section}]\n{line}")
    key = line.partition(" ")[0]
    assert [problem.key for problem in caught.value.problems] == [f"{section}.{key}"]
    assert [problem.line for problem in caught.value.problems] == [2]


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("ppp", "mtu = 576"),
        ("ppp", "mru = 1500"),
        ("ppp", "lcp_echo_interval = 0"),
        ("gateway", "setup_timeout = 5"),
        ("addresses", "dns = []"),
        ("log", 'level = "debug"'),
        ("log", 'file = "/var/log/holdfast/events.jsonl"'),
        ("users", 'chap_secrets = "/etc/ppp/chap-secrets"'),
    ],
)
def test_good_values(section: str, line: str) -> None:
    key = line.partition(" ")[0]
    assert key in getattr(parse(f"[{section}]\n{line}").config, section).model_fields_set
