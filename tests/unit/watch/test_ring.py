"""The ring needs the right to open a packet socket; loopback in a namespace of its own is network enough."""

import os
import socket
from collections.abc import Iterator

import pytest

from holdfast.errors import HostError
from holdfast.watch.bpf import VLAN, program
from holdfast.watch.ring import BLOCK, Captured, Ring, tag_in_front
from lab.network import Namespace, namespace
from support.engine_lab import inside
from support.scene import ip

TRIES = 40


def collect(ring: Ring, wanted: int, protocol: int) -> list[Captured]:
    """Return packets of a protocol, until there are so many, or no more come for a while."""
    found: list[Captured] = []
    for _ in range(25):
        found += [one for one in ring.packets(0.2) if one.octets[9] == protocol]
        if len(found) >= wanted:
            break
    return found


@pytest.fixture
def place() -> Iterator[Namespace]:
    with namespace("ring") as made:
        yield made


@pytest.fixture
def ring(place: Namespace) -> Iterator[Ring]:
    made = inside(place, lambda: Ring("lo", program("127.0.0.1"), octets=4 * BLOCK))
    yield made
    made.close()


def knock() -> None:
    """Send what is wanted and what is not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.sendto(b"x", ("127.0.0.1", 9))
    for port in (1723, 1724) * TRIES:
        with socket.socket() as client:
            client.connect_ex(("127.0.0.1", port))


@pytest.mark.root
def test_what_goes_by_is_seen_once_and_the_rest_not_at_all(place: Namespace, ring: Ring) -> None:
    inside(place, knock)
    found = collect(ring, 2 * TRIES, 6)
    assert len(found) == 2 * TRIES, "a SYN and its RST, each once, though loopback shows them twice"
    assert {one.ether_type for one in found} == {0x800}
    assert all((1723).to_bytes(2) in (one.octets[20:22], one.octets[22:24]) for one in found)
    assert all(one.length == len(one.octets) for one in found)
    assert found == sorted(found, key=lambda one: one.nanoseconds)
    assert ring.lost() == 0


def flood() -> None:
    packet = b"\x30\x01\x88\x0b\x00\xf0\x00\x07" + bytes(300)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 47) as sender:
        for _ in range(8000):
            sender.sendto(packet, ("127.0.0.1", 0))


@pytest.mark.root
def test_a_full_ring_says_so_and_goes_on(place: Namespace, ring: Ring) -> None:
    inside(place, flood)
    found = collect(ring, 8001, 47)
    lost = ring.lost()
    assert found
    assert lost > 0
    assert len(found) + lost >= 8000
    assert all(len(one.octets) <= 256 < one.length for one in found)
    inside(place, knock)
    assert collect(ring, 2 * TRIES, 6), "there is room again"


def test_a_tag_that_is_still_there_is_seen() -> None:
    packet = ip("192.0.2.1", "192.0.2.2", 47, bytes(40))
    assert tag_in_front(b"\x45\x07\x08\x00" + packet) == VLAN
    assert tag_in_front(b"\x00\x07\x81\x00\x00\x08\x08\x00" + packet) == VLAN
    assert tag_in_front(packet) == 0
    assert tag_in_front(b"\x00\x07\x08\x00" + bytes(20)) == 0
    assert tag_in_front(b"") == 0


@pytest.mark.root
def test_no_such_interface() -> None:
    with pytest.raises(HostError, match="no such interface") as told:
        Ring("nowhere0", program())
    assert "lo" in told.value.fix


def test_without_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(HostError, match="right to read packets") as told:
        Ring("lo", program())
    assert "root" in told.value.fix
