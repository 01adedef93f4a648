"""The configuration options of all control protocols: numbers, and texts for people.

The rules (what to ask, what to grant) stand with each protocol; this is only what an option says.
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from ipaddress import IPv4Address

from holdfast.ppp.authentication_types import method_from_option
from holdfast.ppp.framing import Protocol
from holdfast.wire.tlv import Option

__all__ = [
    "CcpOption",
    "IpcpOption",
    "Ipv6cpOption",
    "LcpOption",
    "Option",
    "describe_option",
    "describe_options",
]


class LcpOption(IntEnum):
    """RFC 1661 section 6, RFC 1662 section 7, RFC 1570 section 2, RFC 1990 section 5."""

    MRU = 1
    ACCM = 2
    AUTHENTICATION_PROTOCOL = 3
    QUALITY_PROTOCOL = 4
    MAGIC_NUMBER = 5
    PROTOCOL_FIELD_COMPRESSION = 7
    ADDRESS_AND_CONTROL_FIELD_COMPRESSION = 8
    FCS_ALTERNATIVES = 9
    SELF_DESCRIBING_PADDING = 10
    CALLBACK = 13
    COMPOUND_FRAMES = 15
    MRRU = 17
    SHORT_SEQUENCE_NUMBERS = 18
    ENDPOINT_DISCRIMINATOR = 19


class IpcpOption(IntEnum):
    """RFC 1332 section 3, RFC 1877 section 1."""

    IP_ADDRESSES = 1
    IP_COMPRESSION_PROTOCOL = 2
    IP_ADDRESS = 3
    PRIMARY_DNS = 129
    PRIMARY_NBNS = 130
    SECONDARY_DNS = 131
    SECONDARY_NBNS = 132


class Ipv6cpOption(IntEnum):
    """RFC 5072 section 4."""

    INTERFACE_IDENTIFIER = 1


class CcpOption(IntEnum):
    """RFC 1962 section 4, RFC 3078 section 2."""

    OUI = 0
    STAC_LZS = 17
    MPPE = 18
    BSD_COMPRESS = 21
    DEFLATE = 26


_MPPE_LETTERS = ((1 << 24, "H"), (0x80, "M"), (0x40, "S"), (0x20, "L"), (0x10, "D"), (0x01, "C"))
"""The bits of RFC 3078 section 2 in the order in which logs write them."""

Formatter = Callable[[bytes], str | None]


def _number(size: int) -> Formatter:
    return lambda data: str(int.from_bytes(data)) if len(data) == size else None


def _hexadecimal(size: int) -> Formatter:
    return lambda data: f"0x{data.hex()}" if len(data) == size else None


def _flag(data: bytes) -> str | None:
    return None if data else ""


def _authentication(data: bytes) -> str | None:
    method = method_from_option(data)
    return None if method is None else method.value


def _address(data: bytes) -> str | None:
    return str(IPv4Address(data)) if len(data) == 4 else None


def _mppe(data: bytes) -> str | None:
    if len(data) != 4:
        return None
    bits = int.from_bytes(data)
    return "".join(("+" if bits & mask else "-") + letter for mask, letter in _MPPE_LETTERS)


def _octets(data: bytes) -> str:
    return data.hex()


_TEXTS: dict[int, dict[int, tuple[str, Formatter]]] = {
    Protocol.LCP: {
        LcpOption.MRU: ("mru", _number(2)),
        LcpOption.ACCM: ("accm", _hexadecimal(4)),
        LcpOption.AUTHENTICATION_PROTOCOL: ("auth", _authentication),
        LcpOption.QUALITY_PROTOCOL: ("quality", _octets),
        LcpOption.MAGIC_NUMBER: ("magic", _hexadecimal(4)),
        LcpOption.PROTOCOL_FIELD_COMPRESSION: ("pfc", _flag),
        LcpOption.ADDRESS_AND_CONTROL_FIELD_COMPRESSION: ("acfc", _flag),
        LcpOption.CALLBACK: ("callback", _octets),
        LcpOption.MRRU: ("mrru", _number(2)),
        LcpOption.SHORT_SEQUENCE_NUMBERS: ("ssnhf", _flag),
        LcpOption.ENDPOINT_DISCRIMINATOR: ("endpoint", _octets),
    },
    Protocol.IPCP: {
        IpcpOption.IP_ADDRESSES: ("addresses", _octets),
        IpcpOption.IP_COMPRESSION_PROTOCOL: ("compression", _octets),
        IpcpOption.IP_ADDRESS: ("address", _address),
        IpcpOption.PRIMARY_DNS: ("dns1", _address),
        IpcpOption.SECONDARY_DNS: ("dns2", _address),
        IpcpOption.PRIMARY_NBNS: ("wins1", _address),
        IpcpOption.SECONDARY_NBNS: ("wins2", _address),
    },
    Protocol.IPV6CP: {Ipv6cpOption.INTERFACE_IDENTIFIER: ("identifier", _hexadecimal(8))},
    Protocol.CCP: {
        CcpOption.OUI: ("oui", _octets),
        CcpOption.STAC_LZS: ("stac", _octets),
        CcpOption.MPPE: ("mppe", _mppe),
        CcpOption.BSD_COMPRESS: ("bsd", _octets),
        CcpOption.DEFLATE: ("deflate", _octets),
    },
}


def describe_option(protocol: int, option: Option) -> str:
    """Return one option as `name=value`, or `name` alone when it has no value; unknown ones in hexadecimal."""
    name, formatter = _TEXTS.get(protocol, {}).get(option.type, (f"option-{option.type}", _octets))
    text = formatter(option.data)
    value = option.data.hex() if text is None else text
    return f"{name}={value}" if value else name


def describe_options(protocol: int, options: Iterable[Option]) -> str:
    """Return all options in order, separated by spaces."""
    return " ".join(describe_option(protocol, option) for option in options)
