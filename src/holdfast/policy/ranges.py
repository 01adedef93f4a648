"""Ranges of addresses, written as `a-b`, as a network or as one address.

Plain values, so that configuration, users and the allocator share one meaning of a range.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class AddressRange:
    """The addresses from `first` to `last`, both included and of one family."""

    first: Address
    last: Address

    def __post_init__(self) -> None:
        if self.first.version != self.last.version:
            raise ValueError("a range cannot begin in one address family and end in the other")
        if int(self.first) > int(self.last):
            raise ValueError(f"the range ends before it begins; write it as {self.last}-{self.first}")

    @classmethod
    def single(cls, address: Address) -> "AddressRange":
        """Return the range of one address."""
        return cls(address, address)

    @classmethod
    def parse(cls, text: str) -> "AddressRange":
        """Read `10.0.0.10-10.0.0.250`, `10.0.0.0/24` or `10.0.0.5`. ValueError says in a sentence what is wrong.

        A network gives its host addresses only: clients, Windows foremost, do not take the first and the last
        address of a network (all zeros, all ones) as their own.
        """
        if "/" in text:
            return cls._of_network(text)
        first, dash, last = text.partition("-")
        begin = _address(first)
        return cls(begin, _address(last)) if dash else cls.single(begin)

    @classmethod
    def _of_network(cls, text: str) -> "AddressRange":
        try:
            network: IPv4Network | IPv6Network = ip_network(text.strip())
        except ValueError:
            network = _loose_network(text)
            raise ValueError(f"{text!r} has bits set beyond its prefix; write {network}") from None
        first, last = network.network_address, network.broadcast_address
        if network.num_addresses <= 2:
            return cls(first, last)
        return cls(first + 1, last - 1 if network.version == 4 else last)

    def __contains__(self, address: Address) -> bool:
        return address.version == self.first.version and int(self.first) <= int(address) <= int(self.last)

    def __len__(self) -> int:
        return int(self.last) - int(self.first) + 1

    def __iter__(self) -> Iterator[Address]:
        kind = type(self.first)
        return (kind(number) for number in range(int(self.first), int(self.last) + 1))

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def overlaps(self, other: "AddressRange") -> bool:
        """Whether some address is in both."""
        return other.first in self or other.last in self or self.first in other


def contains(ranges: Iterable[AddressRange], address: Address) -> bool:
    """Whether one of the ranges holds the address."""
    return any(address in part for part in ranges)


def _address(text: str) -> Address:
    try:
        return ip_address(text.strip())
    except ValueError:
        raise ValueError(f"{text.strip()!r} is not an address") from None


def _loose_network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not a network") from None
