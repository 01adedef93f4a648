"""Tunnel packets in pieces: told with direction and counts, and not too often."""

import pytest

from holdfast.events import Direction
from holdfast.gateway import fragmentation
from holdfast.gateway.fragmentation import FEW, PERIOD
from holdfast.network.fragments import Piece, TooBig

pytestmark = pytest.mark.asyncio


class Clock:
    def __init__(self, world, monkeypatch) -> None:
        self.ahead, real = 0.0, world.gateway.now
        monkeypatch.setattr(world.gateway, "now", lambda: real() + self.ahead)


def piece(world, size: int = 1004) -> Piece:
    return Piece("127.0.0.1", world.only().local_call_id, size)


async def test_what_the_client_sends_in_pieces(world, crowd, monkeypatch):
    await crowd.up()
    clock, desk = Clock(world, monkeypatch), world.gateway.fragmentation
    desk.saw({piece(world): FEW - 1})
    assert world.named("FRAGMENTED") == []
    desk.saw({piece(world): 3})
    (told,) = world.named("FRAGMENTED")
    assert (told["direction"], told["packets"], told["mtu"], told["router"]) == ("received", FEW + 2, 1004, "")
    assert "arrive in pieces, the first of 1004 octets" in told["detail"]
    assert (told["session"], told["user"]) == (world.only().session.session_id, "alice")
    for _ in range(50):
        desk.saw({piece(world): 10})
    assert len(world.named("FRAGMENTED")) == 1
    clock.ahead = PERIOD
    desk.saw({piece(world): 1})
    assert world.named("FRAGMENTED")[1]["packets"] == 501
    assert desk.received == FEW + 2 + 501


async def test_a_few_now_and_then_are_nothing_to_tell(world, crowd, monkeypatch):
    await crowd.up()
    clock = Clock(world, monkeypatch)
    for _ in range(10):
        clock.ahead += PERIOD + 1
        world.gateway.fragmentation.saw({piece(world): FEW - 1})
    assert world.named("FRAGMENTED") == []


async def test_what_we_send_in_pieces(world, crowd):
    await crowd.up()
    world.counts(gre_fragmented_out=20)
    world.gateway.patrol.begin(world.only())
    told = await world.said("FRAGMENTED")
    assert (told["direction"], told["packets"]) == ("sent", 20)
    assert "sent in pieces" in told["detail"]
    world.gateway.fragmentation.sent(world.only(), next(iter(world.engine.calls.values())).counters)
    assert world.only().pieces[Direction.SENT].packets == 0


async def test_a_router_that_says_too_big_is_told_at_once(world, crowd):
    await crowd.up()
    desk, call = world.gateway.fragmentation, world.only().peer_call_id
    desk.saw({TooBig("198.51.100.9", "127.0.0.1", call, 1300): 1})
    (told,) = world.named("FRAGMENTED")
    assert (told["direction"], told["packets"], told["mtu"], told["router"]) == ("sent", 1, 1300, "198.51.100.9")
    assert (
        "198.51.100.9 says that tunnel packets to the client are too big for a network with MTU 1300" in told["detail"]
    )
    assert desk.too_big == 1


async def test_what_belongs_to_no_session_is_counted_only(world, crowd):
    await crowd.up()
    desk, own = world.gateway.fragmentation, world.only().local_call_id
    desk.saw({Piece("203.0.113.9", own, 900): 100, TooBig("203.0.113.9", "203.0.113.9", 1, 0): 7})
    assert (world.named("FRAGMENTED"), desk.received, desk.too_big) == ([], 100, 7)


async def test_a_host_without_packet_sockets_is_told_so(world, monkeypatch):
    def refused() -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(fragmentation, "FragmentWatch", refused)
    async with fragmentation.watched_fragments(world.gateway):
        assert "unnoticed" in world.named("INTERNAL_FAULT")[0]["detail"]
