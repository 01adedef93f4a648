"""The engine's side of a tunnel: before, while and after there is a call."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from holdfast.dataplane.interface import CallPath, Counters, Keepalive, Upcall, UpcallKind
from holdfast.dialer.engine_call import EngineCall, read_echo_reply
from holdfast.dialer.engine_port import EnginePort
from holdfast.ppp.commands import ConfigureLink
from unit.dialer.server import WireEngine

pytestmark = pytest.mark.asyncio
PATH = CallPath(1, 2, "127.0.0.1", "127.0.0.1")
LINK = ConfigureLink(1396, 1400, compress_protocol=True, omit_framing=True, local_magic=0x01020304, peer_magic=5)


class Owner:
    def __init__(self) -> None:
        self.heard: list[Upcall] = []

    def take_upcall(self, upcall: Upcall) -> None:
        self.heard.append(upcall)


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[WireEngine]:
    made = WireEngine()
    made.peer = WireEngine()
    made.peer.add_call(CallPath(2, 1, "127.0.0.1", "127.0.0.1"))
    yield made
    made.peer.close()
    made.close()


@pytest_asyncio.fixture
async def call(engine: WireEngine) -> AsyncIterator[EngineCall]:
    port = EnginePort(engine)
    yield EngineCall(port)
    port.close()


async def test_nothing_happens_without_a_call(call: EngineCall, engine: WireEngine) -> None:
    call.execute(LINK)
    call.send([b"frame"])
    call.open(("0.0.0.0/0",))
    call.inject(b"packet")
    call.set_keepalive(Keepalive(1, 1))
    call.send_echo(1, 100)
    call.limit(1000)
    call.end()
    call.give_back()
    assert not call
    assert (call.handle, call.carries, call.counters()) == (0, False, Counters())
    assert engine.links == engine.keepalives == []


async def test_from_the_first_to_the_last(call: EngineCall, engine: WireEngine) -> None:
    owner = Owner()
    assert call.reserve() == call.call_id == 1
    call.begin(PATH, Keepalive(10, 3), owner)
    call.execute(LINK)
    call.open(("0.0.0.0/0",))
    assert call
    assert (call.mtu, call.mru, call.carries) == (1396, 1400, True)
    engine.tell(Upcall(UpcallKind.DEAD, call.handle))
    await asyncio.sleep(0.01)
    assert len(owner.heard) == 1
    call.end()
    assert (call.handle, call.carries, call.counters().packets_in) == (0, False, 3)
    call.give_back()
    assert call.call_id == 0


async def test_a_limit_holds_also_when_lcp_is_negotiated_again(call: EngineCall, engine: WireEngine) -> None:
    call.begin(PATH, Keepalive(10, 3), Owner())
    call.execute(LINK)
    call.limit(1200)
    call.execute(LINK)
    call.limit(1200)
    call.limit(9000)
    assert [link.mtu for link in engine.links] == [1396, 1200, 1200, 1396]
    assert call.mtu == 1396, "what LCP agreed is what may be hoped for again"


@pytest.mark.parametrize(("asked", "sent"), [(100, 100), (8, 8), (0, 8)])
async def test_an_echo_is_as_long_as_it_says(call: EngineCall, engine: WireEngine, asked: int, sent: int) -> None:
    call.begin(PATH, Keepalive(10, 3), Owner())
    call.execute(LINK)
    call.send_echo(7, asked)
    assert engine.peer is not None
    (upcall,) = engine.peer.poll()
    assert upcall.frame[:10] == b"\xc0\x21\x09\x07" + sent.to_bytes(2) + b"\x01\x02\x03\x04"
    assert len(upcall.frame) == sent + 2


@pytest.mark.parametrize(
    ("frame", "read"),
    [
        (b"\xc0\x21\x0a\x07\x00\x08\0\0\0\0", (7, 8)),
        (b"\xc0\x21\x0a\x07\x00\x08\0\0\0\0padding", (7, 8)),
        (b"\xc0\x21\x0a\x07\xff\xff\0\0\0\0", (7, 8)),
        (b"\xc0\x21\x09\x07\x00\x08\0\0\0\0", None),
        (b"\x80\x21\x0a\x07\x00\x08\0\0\0\0", None),
        (b"\xc0\x21\x0a\x07\x00", None),
        (b"", None),
    ],
)
async def test_what_a_reply_says_of_itself(frame: bytes, read: tuple[int, int] | None) -> None:
    assert read_echo_reply(frame) == read
