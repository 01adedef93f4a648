"""Whose turn it was while a tunnel came up: the waits of a first connect, split by what was on the wire.

A wait belongs to whoever ends it by a packet that moves things on: one that carries something, beyond acknowledgements
and LCP echoes. What the client repeats while the server is silent is the server's wait: a frame that it has sent
before, and pings after the first. Between two different packets of one side that side was busy, whatever the other did.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from holdfast._native import gre_parse

TCP, GRE = 6, 47
SYN = 0x02
ADDRESS_CONTROL = b"\xff\x03"
LCP_ECHOES = (b"\xc0\x21\x09", b"\xc0\x21\x0a")
"""Echo-Request and Echo-Reply (RFC 1661 section 5.8): they ask for life and move nothing."""
USER_DATA = (b"\x21", b"\xfd", b"\x00\x21", b"\x00\xfd")
"""How frames with an inner IP packet begin: IP or MPPE, with or without protocol field compression."""
ETH_P_ALL = 3
ETH_P_IP = 0x0800


@dataclass(frozen=True, slots=True)
class Move:
    """A packet that moves things on: when (seconds since 1970), by the client or not, and whether with user data.

    `said` is the control frame, by which a repetition is known.
    """

    at: float
    ours: bool
    user: bool = False
    said: bytes = b""


@dataclass(frozen=True, slots=True)
class Turns:
    """Seconds of a first connect that were the client's own and the server's, and when its first ping was answered.

    `last` is the part of `theirs` that came after the first ping: the server had agreed to everything by then.
    """

    ours: float
    theirs: float
    answered: float
    last: float = 0.0

    @property
    def whole(self) -> float:
        """Seconds of both."""
        return self.ours + self.theirs


def read_move(at: float, packet: bytes, *, ours: bool) -> Move | None:
    """Return what an IPv4 packet moves, None for one that only acknowledges or is of no tunnel."""
    header = (packet[0] & 15) * 4 if packet else 0
    body = packet[header : int.from_bytes(packet[2:4])]
    if len(body) >= 20 and packet[9] == TCP:
        carries = len(body) > (body[12] >> 4) * 4 or body[13] & SYN
        return Move(at, ours) if carries else None
    parsed = gre_parse(body) if len(packet) > header and packet[9] == GRE else None
    if not parsed or not parsed[3]:
        return None
    frame = parsed[3].removeprefix(ADDRESS_CONTROL)
    user = frame.startswith(USER_DATA)
    return None if frame.startswith(LCP_ECHOES) else Move(at, ours, user, b"" if user else frame)


def split(moves: Sequence[Move], left_out: tuple[float, float] = (0.0, 0.0)) -> Turns:
    """Split the time from the first packet to the first answer from inside, but for the stretch that is `left_out`.

    ValueError when nothing was answered.
    """
    pinged = next((move.at for move in moves if move.ours and move.user), None)
    answers = (move.at for move in moves if pinged is not None and move.user and not move.ours and move.at >= pinged)
    answered = next(answers, None)
    if pinged is None or answered is None:
        raise ValueError("no ping was answered")
    sums, last, (begin, end) = {True: 0.0, False: 0.0}, 0.0, left_out
    for before, after in pairwise(_without_repetitions(move for move in moves if move.at <= answered)):
        wait = after.at - before.at - max(0.0, min(end, after.at) - max(begin, before.at))
        sums[after.ours] += wait
        last += wait if not after.ours and before.at >= pinged else 0.0
    return Turns(sums[True], sums[False], answered, last)


def _without_repetitions(moves: Iterable[Move]) -> Iterator[Move]:
    """Leave out what the client says again."""
    said: set[bytes] = set()
    pinged = False
    for move in moves:
        again = move.ours and (pinged if move.user else move.said in said)
        if move.ours:
            pinged |= move.user
            said |= {move.said} - {b""}
        if not again:
            yield move


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
