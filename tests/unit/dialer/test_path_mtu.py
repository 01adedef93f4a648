"""What a measurement of the path means for the MTU, and one against the small server."""

from ipaddress import IPv4Address

import pytest

from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.path_mtu import conclude, measure
from holdfast.dialer.path_search import GRAIN, PathSize
from holdfast.dialer.settings import TunnelSettings
from holdfast.dialer.tunnel import Tunnel
from holdfast.errors import DisconnectReason
from unit.dialer.server import PASSWORD, Behaviour, world

HERE = IPv4Address("127.0.0.1")


@pytest.mark.parametrize(
    ("found", "mtu", "path", "words"),
    [
        (PathSize(1400), 1396, 1440, "packets of 1440 octets pass whole"),
        (PathSize(1256, limited=True), 1252, 1296, "beyond 1296 octets do not pass whole"),
        (PathSize(1256, fragments_back=True, limited=True), 1252, 1296, "come in fragments from the server"),
        (PathSize(1256, both_ways=False, limited=True), 1252, 1296, "of the way back nothing is known"),
        (PathSize(0, both_ways=False, limited=True), 1396, 0, "answers no big echoes: the MTU stays 1396"),
    ],
)
def test_what_it_means(found: PathSize, mtu: int, path: int, words: str) -> None:
    concluded = conclude(found, 1396, 4)
    assert (concluded.mtu, concluded.path) == (mtu, path)
    assert words in concluded.detail
    assert concluded.event.mtu == mtu


def test_without_encryption_nothing_comes_on_top() -> None:
    assert conclude(PathSize(1400), 1400, 0).mtu == 1400


@pytest.mark.asyncio
async def test_a_server_is_asked() -> None:
    async with world(Behaviour()) as made:
        port = EnginePort(made.mine)
        tunnel = Tunnel(TunnelSettings("127.0.0.1", "alice", port=made.port), PASSWORD, port)
        up = await tunnel.connect("127.0.0.1")
        found = await measure(tunnel, HERE, up.mtu, encrypted=True, identifier=5)
        assert (found.mtu, found.both_ways) == (up.mtu, True)
        made.mine.carries = 1300
        found = await measure(tunnel, HERE, up.mtu, encrypted=True, identifier=100)
        assert 1300 - 4 - GRAIN < found.mtu <= 1300 - 4
        await tunnel.close(DisconnectReason.USER_REQUEST, "enough")
        port.close()
