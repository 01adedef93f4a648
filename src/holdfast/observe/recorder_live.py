"""A live capture of one session: its control connection and its GRE, off the wire, for a limited time.

User packets are kept up to their PPP protocol field unless asked for whole; authentication is always kept without
its secrets, exactly as on the tapes of the flight recorder. Encryption stays as it is.
"""

import ctypes
import os
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from holdfast.errors import HostError
from holdfast.gre.codec import GreFault, GreHeader, read_header
from holdfast.observe.recorder_packets import GRE, IP_SIZE, PPTP_PORT, TCP, Ends
from holdfast.observe.recorder_pcapng import Packet, header, packet_block
from holdfast.observe.recorder_redaction import CUT, Kept, redact
from holdfast.ppp.framing import Protocol, join, split

ETH_P_ALL = 3
"""All protocols, since only that shows what this machine sends (packet(7))."""
PACKET_OUTGOING = 4
SO_ATTACH_FILTER = 26
LARGEST_PACKET = 65_535
BUFFER = 4 << 20
STEP = 0.25
"""Seconds between looks at the clock."""
USER_PROTOCOLS_END = 0x4000
"""Below it a PPP protocol number stands for somebody's packets (RFC 1661 section 2)."""

_LOAD_BYTE, _LOAD_WORD, _AND, _EQUAL, _RETURN = 0x30, 0x20, 0x54, 0x15, 0x06


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """How long and how much. `octets` counts what is written; `full` keeps user packets whole."""

    seconds: float = 60.0
    octets: int = 100_000_000
    full: bool = False


@dataclass(slots=True)
class LiveCount:
    """What a live capture saw."""

    packets: int = 0
    octets: int = 0
    stopped_by_size: bool = False


def keep_packet(octets: bytes, ends: Ends, *, full: bool) -> Kept | None:
    """Return what is kept of an IPv4 packet; None when it does not belong to the session."""
    size = (octets[0] & 0x0F) * 4 if octets else 0
    if len(octets) < IP_SIZE or octets[0] >> 4 != 4 or size < IP_SIZE:
        return None
    addresses = {socket.inet_ntoa(octets[12:16]), socket.inet_ntoa(octets[16:20])}
    if addresses != {ends.client, ends.server}:
        return None
    if octets[9] == TCP:
        ports = struct.unpack("!HH", octets[size : size + 4]) if len(octets) >= size + 4 else ()
        return Kept(octets, len(octets)) if PPTP_PORT in ports else None
    if octets[9] != GRE:
        return None
    return _keep_gre(octets, size, ends, full=full)


def _keep_gre(octets: bytes, start: int, ends: Ends, *, full: bool) -> Kept | None:
    gre = read_header(octets[start:])
    from_client = socket.inet_ntoa(octets[12:16]) == ends.client
    if isinstance(gre, GreFault) or not _is_ours(gre, ends, from_client=from_client):
        return None
    body = start + gre.size
    frame = split(octets[body:])
    if frame is None:
        return Kept(octets[:body], len(octets), CUT if len(octets) > body else "")
    if full and (frame.protocol < USER_PROTOCOLS_END or frame.protocol == Protocol.COMPRESSED):
        return Kept(octets, len(octets))
    kept = redact(join(frame.protocol, frame.information))
    front = octets[: len(octets) - len(frame.information)]
    return Kept(front + kept.octets[2:], len(octets), kept.comment)


def _is_ours(gre: GreHeader, ends: Ends, *, from_client: bool) -> bool:
    """A packet carries the receiver's call ID (RFC 2637 section 4.1)."""
    if ends.client == ends.server:
        return gre.call_id in (ends.local_call_id, ends.peer_call_id)
    return gre.call_id == (ends.local_call_id if from_client else ends.peer_call_id)


def filter_program(client: str) -> bytes:
    """Return a socket filter (classic BPF) for IPv4 packets of TCP or GRE from or to `client`."""
    address = int.from_bytes(socket.inet_aton(client))
    lines = (
        (_LOAD_BYTE, 0, 0, 0),
        (_AND, 0, 0, 0xF0),
        (_EQUAL, 0, 8, 0x40),  # IPv4, else reject
        (_LOAD_BYTE, 0, 0, 9),
        (_EQUAL, 1, 0, GRE),
        (_EQUAL, 0, 5, TCP),
        (_LOAD_WORD, 0, 0, 12),
        (_EQUAL, 2, 0, address),
        (_LOAD_WORD, 0, 0, 16),
        (_EQUAL, 0, 1, address),
        (_RETURN, 0, 0, LARGEST_PACKET),
        (_RETURN, 0, 0, 0),
    )
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def open_tap(client: str) -> socket.socket:
    """Return a packet socket that sees what goes from and to `client`. HostError without CAP_NET_RAW.

    What came by before the filter was attached still waits in it; `keep_packet` throws that away.
    """
    program = filter_program(client)
    buffer = ctypes.create_string_buffer(program)
    try:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    except PermissionError as error:
        raise HostError("a live capture needs CAP_NET_RAW", fix="Run this as root.") from error
    attached = struct.pack("HL", len(program) // 8, ctypes.addressof(buffer))
    tap.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, attached)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    tap.settimeout(STEP)
    return tap


def record(
    tap: socket.socket,
    ends: Ends,
    limits: LiveLimits,
    write: Callable[[bytes], object],
    count: LiveCount,
) -> None:
    """Write a pcapng of the session until a limit is reached, counting into `count`.

    KeyboardInterrupt passes through; what was written until then is a good file.
    """
    end = time.monotonic() + limits.seconds
    write(header(_comment(ends, limits), "holdfast"))
    while time.monotonic() < end and not count.stopped_by_size:
        try:
            octets, place = tap.recvfrom(LARGEST_PACKET)
        except TimeoutError:
            continue
        if place[0] == "lo" and place[2] == PACKET_OUTGOING:
            continue  # on loopback each packet is seen twice
        kept = keep_packet(octets, ends, full=limits.full)
        if kept is not None:
            block = packet_block(Packet(time.time(), kept.octets, kept.original, kept.comment))
            write(block)
            count.packets += 1
            count.octets += len(block)
            count.stopped_by_size = count.octets >= limits.octets


def _comment(ends: Ends, limits: LiveLimits) -> str:
    traffic = "whole, as encrypted or not as it was" if limits.full else "without what they carry"
    return (
        f"live capture of {ends.client} and {ends.server}, call IDs {ends.local_call_id} and {ends.peer_call_id}, "
        f"host {os.uname().nodename}; user packets are kept {traffic}; secrets of authentication are zeros"
    )
