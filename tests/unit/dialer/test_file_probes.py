"""Probes in the file of tunnels."""

from pathlib import Path

import pytest

from holdfast.config.problems import InvalidConfigError
from holdfast.dialer.file import MOST_PROBES, parse
from holdfast.probe.settings import Fetch, Lookup, Ping, Probe

SMALL = '[tunnel.office]\nhost = "vpn.example"\nuser = "alice"\n'


def probes(text: str) -> tuple[Probe, ...]:
    (one,) = parse(SMALL + text).tunnels
    return one.settings.probes


def test_none_unless_the_file_names_some() -> None:
    assert probes("") == ()


def test_one_of_each_kind() -> None:
    text = """
[tunnel.office.probes.names]
dns = "intranet.corp.example"
server = "10.0.0.53"
interval = 10
[tunnel.office.probes.page]
http = "https://intranet.corp.example/health"
status = [200, 204]
ca_file = "/etc/holdfast/ca.pem"
failures = 1
reconnect = true
[tunnel.office.probes.far]
ping = "10.0.0.1"
count = 10
max_loss = 0.2
max_round_trip = 0.25
timeout = 2
"""
    assert probes(text) == (
        Probe("names", Lookup("intranet.corp.example", "10.0.0.53"), interval=10.0),
        Probe(
            "page",
            Fetch("https://intranet.corp.example/health", (200, 204), ca_file=Path("/etc/holdfast/ca.pem")),
            failures=1,
            reconnect=True,
        ),
        Probe("far", Ping("10.0.0.1", 10, 0.2, 0.25), timeout=2.0),
    )


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("", "a probe asks one thing"),
        ('dns = "a"\nping = "b"', "a probe asks one thing"),
        ('dns = "a"\ncount = 3', "count means nothing to a probe with dns"),
        ('ping = "a"\nstatus = [200]', "status means nothing to a probe with ping"),
        ('http = "http://u:secret@x/"', "password"),
        ('http = "x"', ":5: tunnel.office.probes.one.http"),
        ('ping = "a b"', ":5: tunnel.office.probes.one.ping"),
        ('ping = "a"\nintervall = 3', "Did you mean 'interval'"),
        ('ping = "a"\ninterval = 0', "interval"),
        ('ping = "a"\nmax_loss = 1', "max_loss"),
        ('http = "http://x/"\nstatus = [99]', "status"),
        ('dns = "a"\nserver = "fe80::1"', "server"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(keys: str, words: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        probes(f"[tunnel.office.probes.one]\n{keys}")
    assert words in caught.value.text()
    assert "secret@" not in caught.value.text()


def test_a_tunnel_has_not_more_than_so_many() -> None:
    many = "".join(f'[tunnel.office.probes.p{number}]\nping = "10.0.0.1"\n' for number in range(MOST_PROBES + 1))
    with pytest.raises(InvalidConfigError, match="at most 100"):
        probes(many)
