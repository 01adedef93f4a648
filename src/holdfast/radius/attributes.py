"""Attributes between octets and values.

An attribute is a number, a vendor (0: the standard's own) and octets; nothing is lost of what is not known by name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from holdfast.radius.codes import Vendor
from holdfast.radius.dictionary import BY_NAME, BY_NUMBER, VALUES, Definition, Kind
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError
from holdfast.wire.text import printable
from holdfast.wire.tlv import MAX_VALUE_SIZE, Option, read_options, write_options

VENDOR_SPECIFIC = 26
"""RFC 2865 section 5.26."""
EAP_MESSAGE = 79
TAG_LIMIT = 0x1F
"""The largest tag; a first octet above it belongs to the text (RFC 2868 section 3.3)."""

Value = int | str | bytes | IPv4Address | IPv6Address | Secret


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute as it stands in a packet."""

    number: int
    data: bytes
    vendor: int = Vendor.STANDARD

    @property
    def definition(self) -> Definition | None:
        """What is known of it."""
        return BY_NUMBER.get((self.vendor, self.number))

    @property
    def name(self) -> str:
        """Its name, or its numbers."""
        found = self.definition
        return found.name if found else f"{self.vendor}/{self.number}" if self.vendor else str(self.number)

    def __repr__(self) -> str:
        return f"{self.name}={describe(self)}"


def attribute(name: str, value: Value) -> Attribute:
    """Make an attribute by name. KeyError for an unknown name, ValueError for a value that does not fit."""
    definition = BY_NAME[name]
    data = _encode(definition.kind, value)
    if len(data) > MAX_VALUE_SIZE - (6 if definition.vendor else 0):
        raise ValueError(f"{name} has {len(data)} octets, more than one attribute holds")
    return Attribute(definition.number, data, definition.vendor)


def text_of(value: str, limit: int = MAX_VALUE_SIZE) -> str:
    """Return a text cut to what one attribute holds, never in the middle of a character."""
    return value.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _encode(kind: Kind, value: Value) -> bytes:
    match value:
        case Secret():
            return value.reveal()
        case bytes():
            return value
        case IPv4Address() | IPv6Address():
            return value.packed
        case str():
            return value.encode()
        case int() if kind in (Kind.INTEGER, Kind.INTEGER64, Kind.TAGGED_INTEGER):
            size = 8 if kind is Kind.INTEGER64 else 4
            if 0 <= value < 1 << (24 if kind is Kind.TAGGED_INTEGER else size * 8):
                return value.to_bytes(size)
    raise ValueError(f"{value!r} does not fit an attribute of the kind {kind}")


def read_attributes(octets: bytes) -> tuple[Attribute, ...]:
    """Split the attributes of a packet, those inside Vendor-Specific too. MalformedError for impossible lengths."""
    found: list[Attribute] = []
    for option in read_options(octets):
        found += _from_vendor(option.data) if option.type == VENDOR_SPECIFIC else [Attribute(option.type, option.data)]
    return tuple(found)


def _from_vendor(data: bytes) -> list[Attribute]:
    """A vendor that uses another format inside (as RFC 2865 allows) is kept as one opaque attribute, number 0."""
    if len(data) < 4:
        raise MalformedError("a Vendor-Specific attribute without a vendor")
    vendor, rest = int.from_bytes(data[:4]), data[4:]
    try:
        return [Attribute(option.type, option.data, vendor) for option in read_options(rest)]
    except MalformedError:
        return [Attribute(0, rest, vendor)]


def write_attributes(attributes: Iterable[Attribute]) -> bytes:
    """Return the octets. ValueError when one is too long."""
    return write_options(map(_option, attributes))


def _option(one: Attribute) -> Option:
    if not one.vendor:
        return Option(one.number, one.data)
    return Option(VENDOR_SPECIFIC, one.vendor.to_bytes(4) + write_options([Option(one.number, one.data)]))


class Attributes:
    """The attributes of a received packet, asked by name. Values of a wrong length are as good as absent."""

    def __init__(self, attributes: Iterable[Attribute]) -> None:
        self.all = tuple(attributes)

    def octets(self, name: str) -> bytes | None:
        """Return the first value as it stands."""
        return next(iter(self.every(name)), None)

    def every(self, name: str) -> list[bytes]:
        """Return every value of this name, in order."""
        wanted = BY_NAME[name]
        return [one.data for one in self.all if (one.vendor, one.number) == (wanted.vendor, wanted.number)]

    def integer(self, name: str) -> int | None:
        """Return the first value as a number."""
        data = self.octets(name)
        return int.from_bytes(data) if data is not None and len(data) in (4, 8) else None

    def address(self, name: str) -> IPv4Address | None:
        """Return the first value as an IPv4 address."""
        data = self.octets(name)
        return IPv4Address(data) if data is not None and len(data) == 4 else None

    def text(self, name: str) -> str:
        """Return the values as one printable text; empty when there is none."""
        return printable(b"".join(self.every(name)))

    def unknown(self) -> list[str]:
        """Name what the dictionary does not know."""
        return [one.name for one in self.all if one.definition is None]


def in_words(attributes: Iterable[Attribute]) -> tuple[str, ...]:
    """Return attributes for people, one a line; `***` for what is secret. A signature says nothing and is left out."""
    return tuple(f"{one.name} = {describe(one)}" for one in attributes if one.name != "Message-Authenticator")


def describe(one: Attribute) -> str:
    """Return the value for people; `***` for what is secret."""
    found, data = one.definition, one.data
    if found is None or found.kind is Kind.OCTETS:
        return f"0x{data.hex()}"
    if found.kind is Kind.SECRET:
        return "***"
    if found.kind in (Kind.TEXT, Kind.TAGGED_TEXT):
        tagged = found.kind is Kind.TAGGED_TEXT and data[:1] <= bytes((TAG_LIMIT,))
        return f'"{printable(data[1:] if tagged else data)}"'
    if found.kind in (Kind.ADDRESS, Kind.IPV6) and len(data) in (4, 16):
        return str(ip_address(data))
    if found.kind in (Kind.INTEGER, Kind.INTEGER64, Kind.TAGGED_INTEGER) and len(data) in (4, 8):
        number = int.from_bytes(data[1:] if found.kind is Kind.TAGGED_INTEGER else data)
        return VALUES.get(found.name, {}).get(number, str(number))
    return f"0x{data.hex()}"
