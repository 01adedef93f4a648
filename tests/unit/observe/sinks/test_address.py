"""Addresses of sinks."""

import pytest

from holdfast.observe.sinks.address import KINDS, parse_sink
from holdfast.observe.sinks.make import _MAKERS


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("stdout", "stdout", 0),
        ("journald", "journald", 0),
        ("journald:/run/other", "journald:/run/other", 0),
        ("file:/var/log/copy.jsonl", "file:/var/log/copy.jsonl", 0),
        ("syslog+udp://192.0.2.1", "syslog+udp://192.0.2.1:514", 514),
        ("syslog+tls://log.example.net:7000?facility=local0&ca=/etc/ca.pem", "syslog+tls://log.example.net:7000", 7000),
        ("gelf+tcp://[2001:db8::1]", "gelf+tcp://[2001:db8::1]:12201", 12201),
        ("https://log.example.net/in", "https://log.example.net:443/in", 443),
        ("splunk+https://splunk.example.net?token_file=/etc/token", "splunk+https://splunk.example.net:8088", 8088),
        ("elastic+http://127.0.0.1/", "elastic+http://127.0.0.1:9200", 9200),
    ],
)
def test_what_is_written_is_understood(text: str, name: str, port: int) -> None:
    address = parse_sink(text)
    assert (address.name, address.port) == (name, port)
    assert parse_sink(str(address)) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there are stdout"),
        ("sylog+udp://x", "did you mean"),
        ("syslog+udp", "a host is missing: syslog.udp://HOST:514"),
        ("syslog+udp://x:0x5", "the port is not a number"),
        ("syslog+udp://x:99999", "the port is not a number"),
        ("syslog+udp://x/path", "takes no path"),
        ("syslog+udp://x?colour=red", "no option 'colour'; it takes facility"),
        ("gelf+udp://x?colour=red", "it takes none"),
        ("syslog+tls://x?ca=", "is empty"),
        ("syslog+tls://x?ca=ca.pem", "write the whole path"),
        ("https://me:pw@x/", "use token_file="),
        ("stdout:/x", "is all"),
        ("stdout://host", "is all"),
        ("file:copy", "takes no host; a path is written as file:/path"),
        ("file://host/copy", "takes no host"),
        ("file", "a file is written as file:/path"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_sink(text)


@pytest.mark.parametrize("host", ["a..example", "x" * 70 + ".example"])
def test_a_host_that_cannot_have_this_name_is_said(host: str) -> None:
    with pytest.raises(ValueError, match="is no name of a host"):
        parse_sink(f"syslog+udp://{host}")


def test_every_kind_can_be_made() -> None:
    assert {kind.partition("+")[0] for kind in KINDS} == set(_MAKERS)
