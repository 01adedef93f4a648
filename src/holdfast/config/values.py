"""Values that a configuration file writes as text, and the sentences for those that are wrong."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from holdfast.observe.sinks.address import SinkAddress, parse_sink
from holdfast.policy.ranges import AddressRange

PPTP_PORT = 1723
"""RFC 2637 section 3.1.3."""

METRICS_PORT = 9723
"""Where Prometheus finds us when no other port is named; not one of its list of default ports."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port to listen on."""

    address: IPv4Address
    port: int = PPTP_PORT

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    @property
    def everywhere(self) -> bool:
        """Whether this is every address of the machine."""
        return self.address.is_unspecified

    def collides(self, other: "Endpoint") -> bool:
        """Whether one socket at each of the two cannot exist at the same time."""
        return self.port == other.port and (self.address == other.address or self.everywhere or other.everywhere)


def _endpoint(value: Any) -> Any:
    """Read `address` or `address:port`."""
    return endpoint_with(PPTP_PORT, f"PPTP clients use {PPTP_PORT}", value)


def _metrics_endpoint(value: Any) -> Any:
    return endpoint_with(METRICS_PORT, f"the default is {METRICS_PORT}", value)


def endpoint_with(default: int, usual: str, value: Any) -> Any:
    """Read `address` or `address:port`; `default` is the port without one, `usual` words about it."""
    if not isinstance(value, str):
        return value
    if value.startswith("[") or value.count(":") > 1:
        raise ValueError(f"PPTP is carried over IPv4 here; write an IPv4 address, such as 0.0.0.0:{default}")
    host, colon, port = value.partition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    if colon and not 1 <= number <= 65535:
        raise ValueError(f"{port!r} is not a port; {usual}")
    return Endpoint(_ipv4(host), number or default)


def _ipv4(value: Any) -> Any:
    if isinstance(value, IPv4Address):
        return value
    if not isinstance(value, str):
        raise ValueError('an address is written as text, such as "10.77.0.1"')
    if ":" in value:
        raise ValueError(f"{value!r} is an IPv6 address; inside the tunnel only IPv4 is handed out so far")
    try:
        return IPv4Address(value)
    except AddressValueError:
        raise ValueError(f"{value!r} is not an IPv4 address") from None


def parse_host_address(value: Any) -> IPv4Address:
    """Read an address that one machine can have. ValueError says in a sentence why it is none."""
    address: IPv4Address = _ipv4(value)
    if address.is_unspecified or address.is_loopback or address.is_multicast or address.is_reserved:
        raise ValueError(f"{address} cannot be the address of one machine beyond this one")
    return address


def _range(value: Any) -> Any:
    if isinstance(value, AddressRange):
        return value
    if not isinstance(value, str):
        raise ValueError('a range is written as text, such as "10.77.0.10-10.77.0.250"')
    found = AddressRange.parse(value)
    parse_host_address(str(found.first))
    parse_host_address(str(found.last))
    return found


def _sink(value: Any) -> Any:
    if isinstance(value, SinkAddress):
        return value
    if not isinstance(value, str):
        raise ValueError('a sink is written as text, such as "journald"')
    return parse_sink(value)


_ACCOUNT = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.-]{0,62}\$?")


def _account(value: Any) -> Any:
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        raise ValueError(f'{value!r} is no user of this machine, such as "alice", and no group, such as "@netops"')
    return value


_TEXT = PlainSerializer(str, return_type=str)

ListenEndpoint = Annotated[
    Endpoint,
    BeforeValidator(_endpoint),
    _TEXT,
    WithJsonSchema({"type": "string", "description": "address or address:port", "examples": ["0.0.0.0:1723"]}),
]
MetricsListen = Annotated[
    Endpoint,
    BeforeValidator(_metrics_endpoint),
    _TEXT,
    WithJsonSchema({"type": "string", "description": "address or address:port", "examples": ["127.0.0.1:9723"]}),
]
LogSink = Annotated[
    SinkAddress,
    BeforeValidator(_sink),
    _TEXT,
    WithJsonSchema({"type": "string", "description": "where to", "examples": ["syslog+tls://log.example.net:6514"]}),
]
AccountName = Annotated[
    str,
    BeforeValidator(_account),
    WithJsonSchema({"type": "string", "description": "user, or @group, of this machine", "examples": ["@netops"]}),
]
HostAddress = Annotated[
    IPv4Address, BeforeValidator(parse_host_address), WithJsonSchema({"type": "string", "format": "ipv4"})
]
PoolRange = Annotated[
    AddressRange,
    BeforeValidator(_range),
    _TEXT,
    WithJsonSchema(
        {
            "type": "string",
            "description": "first-last, network/prefix or one address",
            "examples": ["10.77.0.10-10.77.0.250"],
        }
    ),
]
