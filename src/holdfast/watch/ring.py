"""A packet socket with a ring that it shares with the kernel (packet_mmap, TPACKET_V3): no call for each packet."""

import ctypes
import errno
import mmap
import os
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from holdfast.errors import HostError
from holdfast.watch.bpf import IPV4, IPV6, PPPOE, QINQ, VLAN

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP, PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION = 1, 5, 6, 10
TPACKET_V3 = 2
PROMISCUOUS = 1
SO_ATTACH_FILTER = 26
ETH_P_ALL = 3
ANY = "any"
BLOCK = 1 << 18
FRAME = 2048
"""Only a unit for the kernel's arithmetic; packets lie close together in a block."""
RETIRE_MILLISECONDS = 60
"""A block that is not full is handed over after so long."""
USER, KERNEL = 1, 0
_BLOCK_HEAD = struct.Struct("=8xIIII")
"""Of a block: status, packets, offset of the first, length (after version and private offset)."""
_HEAD = struct.Struct("=IIIIIIHH")
"""Of a packet: next, seconds, nanoseconds, kept, length, status, offset of the data twice."""
_ADDRESS = struct.Struct("=2xHiHBB")
"""Of the sender's address: EtherType (network order), interface, hardware type, packet type, address length."""
_ADDRESS_AT = 48
OUTGOING = 4
VLAN_VALID = 0x10
"""TP_STATUS_VLAN_VALID: there is, or was, a tag."""
LOOPBACK = 772
"""ARPHRD_LOOPBACK: each packet is seen twice there, going out and coming in."""


def tag_in_front(octets: bytes) -> int:
    """Return the EtherType of a VLAN tag if `octets` begin with one, else 0.

    Kernels since 6.11 name what is behind a tag that no card took off, though the tag is still there. An IP packet
    looks the same only with a length of exactly 2048 or 34525 octets.
    """
    inner = int.from_bytes(octets[2:4])
    version = octets[4] >> 4 if len(octets) > 4 else 0
    fits = (inner, version) in ((IPV4, 4), (IPV6, 6)) or inner in (VLAN, QINQ, PPPOE)
    return VLAN if fits else 0


class Captured(NamedTuple):
    """One packet. `ether_type` says what `octets` begin with; `length` is what went by, which may be more."""

    nanoseconds: int
    ether_type: int
    octets: bytes
    length: int


class Ring:
    """An open ring. HostError when the right or the interface is missing."""

    def __init__(self, interface: str, program: bytes, *, octets: int = 8 << 20, promiscuous: bool = True) -> None:
        self.interface = interface
        self._blocks = max(octets // BLOCK, 4)
        self._next = 0
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        except PermissionError:
            raise HostError(
                "watching an interface needs the right to read packets",
                where=interface,
                fix="Run this as root, or with CAP_NET_RAW.",
            ) from None
        try:
            self._prepare(program)
            self._bind(promiscuous=promiscuous)
        except BaseException:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN | select.POLLERR)

    def _prepare(self, program: bytes) -> None:
        """Filter and ring first, then the interface: so nothing unwanted is ever in it."""
        buffer = ctypes.create_string_buffer(program)
        attached = struct.pack("HL", len(program) // 8, ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, attached)
        self._socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        frames = self._blocks * (BLOCK // FRAME)
        request = struct.pack("=7I", BLOCK, self._blocks, FRAME, frames, RETIRE_MILLISECONDS, 0, 0)
        try:
            self._socket.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        except OSError as error:
            raise HostError(
                f"the kernel gives no ring: {error.strerror}", where=self.interface, fix="Ask for less: --ring 2"
            ) from None
        self._map = mmap.mmap(self._socket.fileno(), BLOCK * self._blocks)

    def _bind(self, *, promiscuous: bool) -> None:
        if self.interface == ANY:
            self._bind_everywhere()
            return
        try:
            index = socket.if_nametoindex(self.interface)
            self._socket.bind((self.interface, ETH_P_ALL))
        except OSError:
            names = ", ".join(sorted(name for _, name in socket.if_nameindex()))
            raise HostError("there is no such interface", where=self.interface, fix=f"There are: {names}.") from None
        if promiscuous:
            with suppress(OSError):  # a TUN has nothing of the kind
                self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("=iHH8x", index, PROMISCUOUS, 0))

    def _bind_everywhere(self) -> None:
        """Python's own `bind` wants the name of one interface."""
        address = struct.pack("=HHi12x", socket.AF_PACKET, socket.htons(ETH_P_ALL), 0)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.bind(self._socket.fileno(), address, len(address)):
            number = ctypes.get_errno()
            raise HostError(f"the interfaces cannot be watched: {os.strerror(number)}", where=ANY)

    def packets(self, timeout: float) -> Iterator[Captured]:
        """Yield what came, waiting up to `timeout` seconds for the first. HostError when the interface is gone."""
        if not self._ready(self._next):
            self._wait(timeout)
        for _ in range(self._blocks):
            if not self._ready(self._next):
                return
            yield from self._block(self._next * BLOCK)
            struct.pack_into("=I", self._map, self._next * BLOCK + 8, KERNEL)
            self._next = (self._next + 1) % self._blocks

    def lost(self) -> int:
        """Return how many packets found no room since the last call."""
        _, dropped, _ = struct.unpack("=3I", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12))
        return int(dropped)

    def close(self) -> None:
        """Give everything back."""
        self._socket.close()
        self._map.close()

    def _ready(self, block: int) -> bool:
        return bool(struct.unpack_from("=I", self._map, block * BLOCK + 8)[0] & USER)

    def _wait(self, timeout: float) -> None:
        for _, what in self._poll.poll(timeout * 1000):
            if what & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
                number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number:
                    raise HostError(
                        f"the interface cannot be read: {errno.errorcode.get(number, number)}", where=self.interface
                    )

    def _block(self, start: int) -> Iterator[Captured]:
        memory = self._map
        _, count, first, _ = _BLOCK_HEAD.unpack_from(memory, start)
        at = start + first
        for _ in range(count):
            step, seconds, rest, kept, length, status, data, _ = _HEAD.unpack_from(memory, at)
            ether_type, _, hardware, kind, _ = _ADDRESS.unpack_from(memory, at + _ADDRESS_AT)
            if not (kind == OUTGOING and hardware == LOOPBACK):
                octets = memory[at + data : at + data + kept]
                known = tag_in_front(octets) if status & VLAN_VALID else 0
                yield Captured(seconds * 1_000_000_000 + rest, known or socket.ntohs(ether_type), octets, length)
            at += step
