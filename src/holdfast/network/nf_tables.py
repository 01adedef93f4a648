"""nf_tables as the kernel itself tells it: its generation, and what stands in one table (linux/netfilter/nf_tables.h).

The `nft` command says the same for fifty times the price. A generation is a number that every transaction of anybody
raises by one: while it stays, nothing has changed. Handles are never given out twice, so that what was removed and made
again is told from what has stood all the time.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from holdfast.errors import HostError
from holdfast.network.refusal import explained, rights_fix

NETFILTER = 12
"""NETLINK_NETFILTER of linux/netlink.h."""
SUBSYSTEM = 10 << 8
"""NFNL_SUBSYS_NFTABLES of linux/netfilter/nfnetlink.h."""
NEW_GENERATION = SUBSYSTEM | 15
GET_TABLE, GET_CHAIN, GET_RULE, GET_SET, GET_ELEMENT, GET_GENERATION = (
    SUBSYSTEM | kind for kind in (1, 4, 7, 10, 13, 16)
)
FAMILIES = {"inet": 1, "ip": 2, "ip6": 10}
REQUEST, ACKNOWLEDGE, DUMP = 0x1, 0x4, 0x300
ERROR, DONE, OVERRUN = 2, 3, 4
DORMANT = 0x1
"""NFT_TABLE_F_DORMANT: the table is there and does nothing."""
INTERVAL_END = 0x1
"""NFT_SET_ELEM_INTERVAL_END: the first address behind a network, not a member."""
POLICIES = ("drop", "accept")
MESSAGE = struct.Struct("=IHHII")
ATTRIBUTE = struct.Struct("=HH")
ELEMENT = struct.Struct("=6H4s")
"""NFTA_LIST_ELEM around NFTA_SET_ELEM_KEY around NFTA_DATA_VALUE, an IPv4 address; flags may follow."""
GENERAL = 4
"""Octets of struct nfgenmsg."""
TYPE_BITS = 0x3FFF
"""An attribute's type without NLA_F_NESTED and NLA_F_NET_BYTEORDER."""
TIMEOUT = 5.0
READ_SIZE = 1 << 17

Attributes = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class TableState:
    """What stands in a table: handles of its own, of chains with their policies (empty: none), rules and sets.

    `rules` are pairs of chain and handle; `members` are by set the first addresses of what is in it.
    """

    handle: int
    dormant: bool = False
    chains: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    rules: frozenset[tuple[str, int]] = frozenset()
    sets: Mapping[str, int] = field(default_factory=dict)
    members: Mapping[str, frozenset[bytes]] = field(default_factory=dict)


class NfTables:
    """The kernel's firewall. Each call opens its own socket: the work may come from any thread.

    HostError when the kernel refuses or gives no answer.
    """

    def generation(self) -> int:
        """Return how many transactions there have been, of anybody."""
        with _Inquiry() as ask:
            found = ask.one(GET_GENERATION, 0)
        return generation_in(found or {})

    def has_table(self, family: str, name: str) -> bool:
        """Whether a table exists."""
        with _Inquiry() as ask:
            return ask.one(GET_TABLE, FAMILIES[family], {1: _text(name)}) is not None

    def read(self, family: str, name: str, chains: Sequence[str], sets: Sequence[str]) -> TableState | None:
        """Return what is left of a table and of the chains and sets that it should have; None without the table."""
        with _Inquiry() as ask:
            number, own = FAMILIES[family], _text(name)
            table = ask.one(GET_TABLE, number, {1: own})
            if table is None:
                return None
            found_chains = {one: ask.one(GET_CHAIN, number, {1: own, 3: _text(one)}) for one in chains}
            found_sets = {one: ask.one(GET_SET, number, {1: own, 2: _text(one)}) for one in sets}
            return TableState(
                _number(table[4]),
                bool(_number(table.get(2, b"")) & DORMANT),
                {one: (_number(it[2]), _policy(it)) for one, it in found_chains.items() if it is not None},
                frozenset(ask.rules(number, name)),
                {one: _number(it[16]) for one, it in found_sets.items() if it is not None},
                {one: frozenset(ask.members(number, name, one)) for one, it in found_sets.items() if it},
            )


def generation_in(attributes: Attributes) -> int:
    """Return NFTA_GEN_ID."""
    return _number(attributes.get(1, b""))


def attributes_of(payload: bytes) -> Attributes:
    """Return the attributes of a message, by type; of several of one type the last."""
    return dict(_attributes(memoryview(payload)[GENERAL:]))


class _Inquiry:
    """Questions and answers through one socket."""

    def __enter__(self) -> Self:
        with explained("cannot ask the kernel for its firewall", where="firewall"):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETFILTER)
        self._socket.settimeout(TIMEOUT)
        self._sequence = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def one(self, kind: int, family: int, attributes: Mapping[int, bytes] | None = None) -> Attributes | None:
        """Return the attributes of what is asked for, or None when it does not exist."""
        answers = [attributes_of(payload) for payload in self._ask(kind, REQUEST | ACKNOWLEDGE, family, attributes)]
        return answers[0] if answers else None

    def rules(self, family: int, table: str) -> Iterator[tuple[str, int]]:
        """Yield chain and handle of each rule of a table."""
        for payload in self._ask(GET_RULE, REQUEST | DUMP, family, {1: _text(table)}):
            found = attributes_of(payload)
            if found[1] == _text(table):
                yield found[2].rstrip(b"\0").decode(errors="replace"), _number(found[3])

    def members(self, family: int, table: str, name: str) -> Iterator[bytes]:
        """Yield the first address of each member of a set."""
        for payload in self._ask(GET_ELEMENT, REQUEST | DUMP, family, {1: _text(table), 2: _text(name)}):
            yield from _members(attributes_of(payload).get(3, b""))

    def _ask(self, kind: int, flags: int, family: int, attributes: Mapping[int, bytes] | None) -> list[bytes]:
        self._sequence += 1
        body = struct.pack("=BBH", family, 0, 0)
        for number, value in (attributes or {}).items():
            body += ATTRIBUTE.pack(ATTRIBUTE.size + len(value), number) + value + bytes(-len(value) % 4)
        try:
            self._socket.send(MESSAGE.pack(MESSAGE.size + len(body), kind, flags, self._sequence, 0) + body)
            return self._answers()
        except OSError as error:
            if error.errno == errno.ENOENT:
                return []
            what = os.strerror(error.errno) if error.errno else f"no answer in {TIMEOUT:.0f} s"
            raise HostError(
                f"the kernel does not tell its firewall: {what}", where="firewall", fix=rights_fix(error.errno)
            ) from error

    def _answers(self) -> list[bytes]:
        """Read up to the end of what was asked for. OSError with the kernel's number when it refuses."""
        found: list[bytes] = []
        while True:
            for kind, sequence, payload in messages(self._socket.recv(READ_SIZE)):
                if sequence != self._sequence:
                    continue
                if kind in (ERROR, DONE):
                    number = -struct.unpack_from("=i", payload)[0] if len(payload) >= 4 else 0
                    if number:
                        raise OSError(number, os.strerror(number))
                    return found
                found.append(payload)


def messages(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, sequence number and payload of each netlink message; a broken one ends it."""
    at = 0
    while at + MESSAGE.size <= len(octets):
        length, kind, _flags, sequence, _port = MESSAGE.unpack_from(octets, at)
        if not MESSAGE.size <= length <= len(octets) - at:
            return
        yield kind, sequence, octets[at + MESSAGE.size : at + length]
        at += (length + 3) & ~3


def _attributes(octets: memoryview) -> Iterator[tuple[int, bytes]]:
    at, size = 0, len(octets)
    while at + ATTRIBUTE.size <= size:
        length, kind = ATTRIBUTE.unpack_from(octets, at)
        if not ATTRIBUTE.size <= length <= size - at:
            return
        yield kind & TYPE_BITS, bytes(octets[at + ATTRIBUTE.size : at + length])
        at += (length + 3) & ~3


def _members(octets: bytes) -> Iterator[bytes]:
    """Yield the members of a list of elements, ends of networks left out. A gateway may have ten thousand."""
    at, size = 0, len(octets)
    while at + ELEMENT.size <= size:
        length, _, _, _, _, _, address = ELEMENT.unpack_from(octets, at)
        if not ELEMENT.size <= length <= size - at:
            return
        more = octets[at + ELEMENT.size : at + length]
        if not more or not _number(dict(_attributes(memoryview(more))).get(3, b"")) & INTERVAL_END:
            yield address
        at += (length + 3) & ~3


def _policy(chain: Attributes) -> str:
    return POLICIES[_number(chain[5])] if 5 in chain else ""


def _text(name: str) -> bytes:
    return name.encode() + b"\0"


def _number(octets: bytes) -> int:
    return int.from_bytes(octets)
