"""Values written as text."""

from ipaddress import IPv4Address

import pytest

from holdfast.config import Endpoint, InvalidConfigError, parse
from holdfast.config.values import parse_host_address


def listen(*texts: str) -> tuple[Endpoint, ...]:
    quoted = ", ".join(f'"{text}"' for text in texts)
    return parse(f"[gateway]\nlisten = [{quoted}]").config.gateway.listen


def test_port_of_pptp_is_the_default() -> None:
    assert listen("192.0.2.1") == (Endpoint(IPv4Address("192.0.2.1"), 1723),)
    assert str(listen("192.0.2.1")[0]) == "192.0.2.1:1723"


def test_several_endpoints() -> None:
    assert listen("192.0.2.1:1723", "192.0.2.2:4000") == (
        Endpoint(IPv4Address("192.0.2.1"), 1723),
        Endpoint(IPv4Address("192.0.2.2"), 4000),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[::1]:1723", "PPTP is carried over IPv4"),
        ("::1", "PPTP is carried over IPv4"),
        ("192.0.2.1:", "'' is not a port"),
        ("192.0.2.1:0", "'0' is not a port"),
        ("192.0.2.1:65536", "'65536' is not a port"),
        ("192.0.2.1:-5", "'-5' is not a port"),
        ("192.0.2.1:\u0661", "is not a port"),
        ("example.org", "'example.org' is not an IPv4 address"),
        ("", "'' is not an IPv4 address"),
    ],
)
def test_bad_endpoints_get_a_sentence(text: str, said: str) -> None:
    with pytest.raises(InvalidConfigError, match=r"gateway\.listen") as caught:
        listen(text)
    assert said in caught.value.text()


def test_collisions() -> None:
    everywhere, one = Endpoint(IPv4Address(0)), Endpoint(IPv4Address("192.0.2.1"))
    assert everywhere.everywhere
    assert everywhere.collides(one)
    assert not one.collides(Endpoint(IPv4Address("192.0.2.2")))
    assert not one.collides(Endpoint(one.address, 4000))


@pytest.mark.parametrize("text", ["0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255", "240.0.0.1", "::1", "x", 5])
def test_what_no_other_machine_can_have(text: object) -> None:
    with pytest.raises(ValueError):
        parse_host_address(text)


def test_ranges_are_read() -> None:
    pool = parse('[addresses]\npool = ["10.77.0.10-10.77.0.20", "10.78.0.0/30", "10.79.0.1"]').config.addresses.pool
    assert [str(part) for part in pool] == ["10.77.0.10-10.77.0.20", "10.78.0.1-10.78.0.2", "10.79.0.1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.77.0.20-10.77.0.10", "write it as 10.77.0.10-10.77.0.20"),
        ("10.77.0.5/24", "write 10.77.0.0/24"),
        ("10.77.0.0/40", "is not a network"),
        ("fd00::1-fd00::2", "only IPv4"),
        ("127.0.0.1-127.0.0.9", "cannot be the address"),
        ("10.77.0.10-", "'' is not an address"),
    ],
)
def test_bad_ranges_get_a_sentence(text: str, said: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse(f'[addresses]\npool = ["{text}"]')
    assert said in caught.value.text()
    assert "addresses.pool" in caught.value.text()


def test_a_sink_is_read_and_written_as_text() -> None:
    config = parse('[log]\nsinks = ["journald", "syslog+tls://log.example.net?ca=/etc/ca.pem"]\n').config
    assert [sink.kind for sink in config.log.sinks] == ["journald", "syslog+tls"]
    assert config.model_dump(mode="json")["log"]["sinks"][1] == "syslog+tls://log.example.net:6514?ca=/etc/ca.pem"


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        ('"sylog+tls://a"', "did you mean 'syslog.tls'"),
        ("7", "a sink is written as text"),
        ('"https://me:secret@a/"', "use token_file="),
    ],
)
def test_a_wrong_sink_is_said(sink: str, said: str) -> None:
    with pytest.raises(InvalidConfigError, match=said):
        parse(f"[log]\nsinks = [{sink}]\n")
