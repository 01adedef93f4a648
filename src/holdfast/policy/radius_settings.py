"""Attributes of an Access-Accept or a CoA-Request that are settings of a session, with their origin in words.

RFC 2865, RFC 2869, and what WISPr, Mikrotik and ChilliSpot say about rates and volumes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Any

from holdfast.policy.effective import RADIUS_KEYS, Layer
from holdfast.policy.rates import read_mikrotik
from holdfast.radius.attributes import Attributes
from holdfast.radius.codes import Vendor
from holdfast.radius.dictionary import BY_NUMBER
from holdfast.wire.text import printable

SMALLEST_INTERIM = 60
"""Seconds; RFC 2869 section 5.16 forbids less."""
ONE_HOST = 32

NUMBERS: Mapping[str, str] = MappingProxyType(
    {BY_NUMBER[Vendor.STANDARD, number].name: key for number, key in RADIUS_KEYS.items()}
)
"""Attributes whose number is the setting."""


@dataclass(frozen=True, slots=True)
class _Found:
    key: str
    value: Any
    attribute: str


def settings_layer(values: Attributes, origin: str) -> Layer:
    """Return the settings among some attributes, each with `origin` and the attribute that it came in."""
    found = [*_numbers(values), *_names(values), *_rates(values), *_volume(values), *_routes(values)]
    return Layer({one.key: one.value for one in found}, {one.key: f"{origin}: {one.attribute}" for one in found})


def _numbers(values: Attributes) -> Iterator[_Found]:
    for name, key in NUMBERS.items():
        number = values.integer(name)
        if number is not None:
            floor = SMALLEST_INTERIM if key == "accounting_interval" and number else 0
            yield _Found(key, float(max(number, floor)), name)
    limit = values.integer("Port-Limit")
    if limit is not None:
        yield _Found("sessions_per_user", limit, "Port-Limit")


def _names(values: Attributes) -> Iterator[_Found]:
    """RFC 2865 section 5.11, RFC 2869 section 5.18: names of what is configured here. The first of several counts."""
    for name, key in (("Framed-Pool", "pool"), ("Filter-Id", "filter")):
        data = values.octets(name)
        if data is not None:
            yield _Found(key, printable(data), name)


def _rates(values: Attributes) -> Iterator[_Found]:
    """WISPr's numbers go before Mikrotik's text where a server sends both."""
    limit = read_mikrotik(values.text("Mikrotik-Rate-Limit"))
    for place, (key, name) in enumerate(
        (("rate_up", "WISPr-Bandwidth-Max-Up"), ("rate_down", "WISPr-Bandwidth-Max-Down"))
    ):
        number = values.integer(name)
        if number is not None:
            yield _Found(key, number, name)
        elif limit is not None:
            yield _Found(key, limit[place], "Mikrotik-Rate-Limit")


def _volume(values: Attributes) -> Iterator[_Found]:
    """Octets both ways together."""
    high, low = values.integer("Mikrotik-Total-Limit-Gigawords") or 0, values.integer("Mikrotik-Total-Limit") or 0
    chilli = values.integer("ChilliSpot-Max-Total-Octets") or 0
    gigawords = values.integer("ChilliSpot-Max-Total-Gigawords") or 0
    if high or low:
        yield _Found("volume_limit", (high << 32) + low, "Mikrotik-Total-Limit")
    elif chilli or gigawords:
        yield _Found("volume_limit", (gigawords << 32) + chilli, "ChilliSpot-Max-Total-Octets")


def _routes(values: Attributes) -> Iterator[_Found]:
    """Framed-Route and the network that Framed-IP-Netmask makes of the address (RFC 2865 sections 5.9 and 5.22)."""
    routes = [route for data in values.every("Framed-Route") if (route := read_route(printable(data)))]
    name = "Framed-Route"
    address, mask = values.address("Framed-IP-Address"), values.address("Framed-IP-Netmask")
    if address is not None and mask is not None:
        network = _network(f"{address}/{mask}")
        if network is not None and 0 < network.prefixlen < ONE_HOST:
            routes.append(str(network))
            name = name if len(routes) > 1 else "Framed-IP-Netmask"
    if routes:
        yield _Found("routes", tuple(dict.fromkeys(routes)), name)


def read_route(text: str) -> str:
    """Return the network of a Framed-Route such as `10.1.0.0/16 0.0.0.0 1`; empty when it is none.

    Whatever gateway it names, the session is the way there. Without a length the old classes give it (RFC 2865
    section 5.22). A route to everything would take the other clients' traffic, and is none.
    """
    words = text.split()
    if not words:
        return ""
    written = words[0]
    if "/" not in written:
        first = written.partition(".")[0]
        number = int(first) if first.isascii() and first.isdigit() else 0
        written += "/8" if number < 128 else "/16" if number < 192 else "/24"
    network = _network(written)
    return "" if network is None or not network.prefixlen else str(network)


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None
