"""Two packet engines with a cable between them: whole streams, cut and joined on the way, arrive as they were sent."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Protocol

import pytest

from holdfast.dataplane.engine import Engine
from holdfast.dataplane.interface import CallPath, Keepalive, LinkParameters, MppeMode, UpcallKind
from lab.network import Namespace, join, namespace
from support.engine_lab import (
    FAR_INNER,
    FAR_INNER6,
    FAR_OUTER,
    INNER,
    INNER6,
    KEY_IN,
    KEY_OUT,
    OUTER,
    direction,
    inside,
    link,
    wait_until,
)

pytestmark = pytest.mark.root
UDP_SEGMENT = 103
"""Socket option of linux/udp.h: the kernel gets several datagrams in one piece."""
SIZE = 20_000_000


@dataclass
class Side:
    """One engine with its open call."""

    space: Namespace
    engine: Engine
    handle: int
    inner: str
    inner6: str


def open_side(space: Namespace, far: bool, mode: MppeMode | None, workers: int) -> Side:
    """Start an engine and open its call."""
    engine = inside(space, lambda: Engine(tun_name="hf%d", tun_mtu=1400, workers=workers))
    addresses = [(INNER, INNER6, OUTER, 1), (FAR_INNER, FAR_INNER6, FAR_OUTER, 2)]
    (own, own6, outer, call), (peer, peer6, far_outer, far_call) = addresses[::-1] if far else addresses
    space.ip("address", "add", f"{own}/24", "dev", engine.tun_name)
    space.ip("address", "add", f"{own6}/64", "dev", engine.tun_name, "nodad")
    space.ip("link", "set", engine.tun_name, "up")
    handle = engine.add_call(CallPath(call, far_call, outer, far_outer))
    engine.configure(handle, LinkParameters(1400, 1400, not far, far, call, far_call))
    if mode:
        keys = (KEY_OUT, KEY_IN) if far else (KEY_IN, KEY_OUT)
        engine.set_mppe(handle, direction(keys[0], mode=mode), direction(keys[1], mode=mode))
        engine.require_mppe(handle, True)
    engine.open_network(handle, (peer, peer6))
    return Side(space, engine, handle, own, own6)


class Connect(Protocol):
    """Makes the two sides."""

    def __call__(self, mode: MppeMode | None, workers: int = 1) -> tuple[Side, Side]: ...


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes the two sides."""
    engines: list[Engine] = []
    with namespace("left") as left, namespace("right") as right:
        join(left, f"{OUTER}/24", right, f"{FAR_OUTER}/24", label="cable")

        def make(mode: MppeMode | None, workers: int = 1) -> tuple[Side, Side]:
            sides = open_side(left, False, mode, workers), open_side(right, True, mode, workers)
            engines.extend(side.engine for side in sides)
            return sides

        yield make
        for engine in engines:
            engine.close()


def transfer(sender: Side, receiver: Side, family: int) -> None:
    """Send a stream and compare it."""
    address = receiver.inner if family == socket.AF_INET else receiver.inner6
    data = Random(7).randbytes(SIZE)
    digests: list[str] = []
    listener = inside(receiver.space, lambda: socket.create_server((address, 0), family=family))
    with listener:

        def take() -> None:
            connection, _ = listener.accept()
            digest = hashlib.sha256()
            with connection:
                while piece := connection.recv(1 << 16):
                    digest.update(piece)
            digests.append(digest.hexdigest())

        thread = threading.Thread(target=take)
        thread.start()
        made = inside(sender.space, lambda: socket.socket(family, socket.SOCK_STREAM))
        with made:
            made.settimeout(120)
            made.connect(listener.getsockname())
            made.sendall(data)
        thread.join(120)
    assert digests == [hashlib.sha256(data).hexdigest()]


@pytest.mark.parametrize(
    ("mode", "workers"), [(None, 1), (MppeMode.STATELESS, 1), (MppeMode.STATEFUL, 1), (MppeMode.STATELESS, 4)]
)
def test_streams_arrive_whole(connect: Connect, mode: MppeMode | None, workers: int) -> None:
    left, right = connect(mode, workers)
    transfer(left, right, socket.AF_INET)
    transfer(right, left, socket.AF_INET6)
    # The last acknowledgements of the kernels may still be on their way.
    wait_until(lambda: right.engine.counters(right.handle).bytes_in == left.engine.counters(left.handle).bytes_out)
    sent, got = left.engine.counters(left.handle), right.engine.counters(right.handle)
    assert sent.bytes_out > SIZE
    assert got.drops == {}
    assert sent.drops == {}


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_datagrams_in_one_piece_are_cut_apart(connect: Connect, family: int) -> None:
    left, right = connect(MppeMode.STATELESS)
    inner = right.inner if family == socket.AF_INET else right.inner6
    taker = inside(right.space, lambda: socket.socket(family, socket.SOCK_DGRAM))
    giver = inside(left.space, lambda: socket.socket(family, socket.SOCK_DGRAM))
    with taker, giver:
        taker.bind((inner, 0))
        taker.settimeout(60)
        giver.connect(taker.getsockname())
        giver.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
        data = Random(3).randbytes(9500)
        giver.send(data)
        pieces = [taker.recv(2000) for _ in range(10)]
    assert [len(piece) for piece in pieces] == [1000] * 9 + [500]
    assert b"".join(pieces) == data


def test_streams_survive_loss(connect: Connect) -> None:
    left, right = connect(MppeMode.STATELESS)
    rule = "add rule netdev lossy eat numgen random mod 100 == 0 drop"
    right.space.run("nft", "add table netdev lossy")
    hook = "{ type filter hook ingress device cable priority 0; }"
    right.space.run("nft", f"add chain netdev lossy eat {hook}")
    right.space.run("nft", rule)
    transfer(left, right, socket.AF_INET)
    counters = right.engine.counters(right.handle)
    assert counters.gre_lost > 0
    assert counters.drops == {}


def test_a_smaller_mtu_reaches_the_sender_of_a_stream(connect: Connect) -> None:
    left, right = connect(MppeMode.STATELESS)
    left.engine.configure(left.handle, LinkParameters(1100, 1400, True, True, 1, 2, clamp_mss=False))
    right.engine.configure(right.handle, LinkParameters(1400, 1400, True, True, 2, 1, clamp_mss=False))
    transfer(left, right, socket.AF_INET)
    counters = left.engine.counters(left.handle)
    assert 0 < counters.drops["too_big"] < 20


def test_engines_answer_each_others_echoes(connect: Connect) -> None:
    left, right = connect(None)
    for side in (left, right):
        side.engine.set_keepalive(side.handle, Keepalive(0.5, 3, adaptive=False))
    wait_until(lambda: all(side.engine.counters(side.handle).echoes_answered >= 5 for side in (left, right)))
    assert left.engine.poll() == []
    right.engine.close()
    kinds: list[UpcallKind] = []

    def dead() -> bool:
        kinds.extend(upcall.kind for upcall in left.engine.poll())
        return UpcallKind.DEAD in kinds

    wait_until(dead)
    assert kinds == [UpcallKind.ECHO_MISSED] * 3 + [UpcallKind.DEAD]


def test_many_calls_are_cheap(connect: Connect) -> None:
    left, _ = connect(None)
    before = resident_kib()
    handles = [left.engine.add_call(CallPath(100 + number, 1, OUTER, FAR_OUTER)) for number in range(5000)]
    for number, handle in enumerate(handles):
        left.engine.configure(handle, link())
        left.engine.set_mppe(handle, direction(KEY_IN), direction(KEY_OUT))
        left.engine.open_network(handle, (f"10.10.{number >> 8}.{number & 255}",))
        left.engine.set_keepalive(handle, Keepalive(60, 3))
    left.engine.remove_call(handles.pop())
    assert (resident_kib() - before) / 5000 < 6, "KiB a call"


def resident_kib() -> int:
    """Memory of this process."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
