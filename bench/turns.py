"""Whose turn it was while a tunnel came up: the waits of a first connect, split by what was on the wire.

A wait belongs to whoever ends it by a packet that moves things on: one that carries something, beyond acknowledgements.
What a side repeats while the other is silent is the other's wait; that is told apart for the first pings only, so a
repetition before them counts against the dialer.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from holdfast._native import gre_parse

TCP, GRE = 6, 47
SYN = 0x02
USER_DATA = (b"\x21", b"\xfd", b"\x00\x21", b"\x00\xfd")
"""How frames with an inner IP packet begin: IP or MPPE, with or without protocol field compression."""
ETH_P_ALL = 3
ETH_P_IP = 0x0800


@dataclass(frozen=True, slots=True)
class Move:
    """A packet that moves things on: when (seconds since 1970), by the dialer or not, and whether with user data."""

    at: float
    ours: bool
    user: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    """Seconds of a first connect that were the dialer's own and the server's, and when its first ping was answered."""

    ours: float
    theirs: float
    answered: float


def read_move(at: float, packet: bytes, *, ours: bool) -> Move | None:
    """Return what an IPv4 packet moves, None for one that only acknowledges or is of no tunnel."""
    header = (packet[0] & 15) * 4 if packet else 0
    body = packet[header : int.from_bytes(packet[2:4])]
    if len(body) >= 20 and packet[9] == TCP:
        carries = len(body) > (body[12] >> 4) * 4 or body[13] & SYN
        return Move(at, ours) if carries else None
    parsed = gre_parse(body) if len(packet) > header and packet[9] == GRE else None
    return Move(at, ours, parsed[3].startswith(USER_DATA)) if parsed and parsed[3] else None


def split(moves: Sequence[Move], left_out: tuple[float, float]) -> Turns:
    """Split the time from the first packet to the first answer from inside, but for the stretch that is `left_out`.

    ValueError when nothing was answered.
    """
    pinged = next((move.at for move in moves if move.ours and move.user), None)
    answers = (move.at for move in moves if pinged is not None and move.user and not move.ours and move.at >= pinged)
    answered = next(answers, None)
    if answered is None:
        raise ValueError("no ping was answered")
    sums = {True: 0.0, False: 0.0}
    for before, after in pairwise(move for move in moves if move.at <= answered):
        begin, end = left_out
        wait = after.at - before.at - max(0.0, min(end, after.at) - max(begin, before.at))
        sums[after.ours and not (before.ours and before.user and after.user)] += wait
    return Turns(sums[True], sums[False], answered)


def open_on(interface: str) -> socket.socket:
    """Return a socket that hears all of an interface, both ways. For `Stamped`, with `Moves.hear`."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    opened.bind((interface, ETH_P_ALL))
    return opened


class Moves(list[Move]):
    """The moves that were heard on an interface, in order; `hear` is for `Stamped`."""

    def hear(self, at: float, packet: bytes, source: tuple[str, int, int, int, bytes]) -> None:
        """Take a packet as packet(7) tells it."""
        protocol, kind = source[1], source[2]
        move = read_move(at, packet, ours=kind == socket.PACKET_OUTGOING) if protocol == ETH_P_IP else None
        if move is not None:
            self.append(move)
