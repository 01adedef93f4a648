"""Several workers: calls are spread over them, and nothing is lost, doubled or put out of order between them."""

from collections.abc import Iterator

import pytest

from holdfast._native import gre_build
from holdfast.dataplane.engine import MAX_WORKERS, Engine
from holdfast.dataplane.interface import CallPath, Keepalive, UpcallKind
from lab.network import Namespace
from support.engine_lab import (
    CALL,
    FAR_CALL,
    FAR_OUTER,
    IP,
    KEY_IN,
    KEY_OUT,
    LCP,
    OUTER,
    Bench,
    FarEnd,
    direction,
    link,
    strays,
    udp,
    wait_until,
)

pytestmark = pytest.mark.root
WORKERS = 3
CALLS = range(1, 8)
EACH = 30


class Client:
    """One more call of the engine, with its far end."""

    def __init__(self, bench: Bench, far: Namespace, number: int) -> None:
        self.address = f"10.9.0.{100 + number}"
        self.far = FarEnd(far, CALL + number, FAR_CALL + number)
        self.handle = bench.engine.add_call(CallPath(CALL + number, FAR_CALL + number, OUTER, FAR_OUTER))
        bench.engine.configure(self.handle, link())
        bench.engine.set_mppe(self.handle, direction(KEY_IN), direction(KEY_OUT))
        bench.engine.require_mppe(self.handle, True)
        bench.engine.open_network(self.handle, (self.address,))
        self.far.encrypt()


@pytest.fixture
def bench(spaces: tuple[Namespace, Namespace]) -> Iterator[Bench]:
    """An engine with several workers."""
    made = Bench(*spaces, workers=WORKERS)
    yield made
    made.close()


@pytest.fixture
def clients(bench: Bench, spaces: tuple[Namespace, Namespace]) -> Iterator[list[Client]]:
    """Calls enough for all workers."""
    made = [Client(bench, spaces[1], number) for number in CALLS]
    yield made
    for client in made:
        client.far.close()


def test_packets_to_calls_of_every_worker(bench: Bench, clients: list[Client]) -> None:
    """Nothing came from the clients yet, so the kernel picks the queues as it likes."""
    inner = bench.udp_socket()
    for number in range(EACH):
        for client in clients:
            inner.sendto(b"%d" % number, (client.address, 4000))
    for client in clients:
        frames = [client.far.receive_frame() for _ in range(EACH)]
        assert [frame[30:] for frame in frames] == [b"%d" % number for number in range(EACH)]
        wait_until(lambda client=client: bench.engine.counters(client.handle).packets_out == EACH)
        assert bench.engine.counters(client.handle).drops == {}
    assert strays(bench) == {}


def test_packets_from_calls_of_every_worker(bench: Bench, clients: list[Client]) -> None:
    inner = bench.udp_socket()
    port = inner.getsockname()[1]
    for number in range(EACH):
        for client in clients:
            client.far.send(IP, udp(port, b"%d" % number, source=client.address))
    got: dict[str, list[bytes]] = {client.address: [] for client in clients}
    for _ in range(EACH * len(clients)):
        data, (source, _port) = inner.recvfrom(100)
        got[source].append(data)
    assert set(map(tuple, got.values())) == {tuple(b"%d" % number for number in range(EACH))}
    for client in clients:
        counters = bench.engine.counters(client.handle)
        assert (counters.packets_in, counters.gre_packets_in, counters.drops) == (EACH, EACH, {})
        inner.sendto(b"back", (client.address, 4000))
        assert client.far.receive_frame().endswith(b"back")
    assert bench.engine.totals().gre_packets_in == EACH * len(clients)


def test_each_packet_counts_once(bench: Bench) -> None:
    for number in range(60):
        bench.far.put(gre_build(1000 + number, 0, None, b"\xff\x03\xc0\x21\x01\x01\x00\x04"))
    for octets in (b"", b"\x30", bytes(7), bytes(8), bytes(40)):
        bench.far.put(octets)
    wait_until(lambda: bench.engine.totals().gre_packets_in >= 65)
    bench.far.send(LCP, b"\x0b\x01\x00\x08\0\0\0\0")
    wait_until(lambda: bench.engine.counters(bench.handle).gre_packets_in == 1)
    wait_until(lambda: strays(bench) == {"unknown_call": 60, "malformed": 5})
    assert bench.engine.totals().gre_packets_in == 66


def test_a_stranger_is_told_by_the_worker_of_the_call(bench: Bench) -> None:
    for number in range(1, 4):
        handle = bench.engine.add_call(CallPath(CALL + number, 6, OUTER, "192.0.2.99"))
        bench.far.put(gre_build(CALL + number, 0, None, b"\xff\x03\xc0\x21\x01\x01\x00\x04"))
        upcall = bench.upcalls(UpcallKind.WRONG_PEER, 1)[0]
        assert (upcall.handle, upcall.value) == (handle, CALL + number)


def test_an_address_moves_to_a_call_of_another_worker(bench: Bench, clients: list[Client]) -> None:
    first, second = clients[:2]
    inner = bench.udp_socket()
    inner.sendto(b"one", (first.address, 4000))
    assert first.far.receive_frame().endswith(b"one")
    bench.engine.remove_call(first.handle)
    bench.engine.open_network(second.handle, (first.address,))
    inner.sendto(b"two", (first.address, 4000))
    assert second.far.receive_frame().endswith(b"two")
    inner.sendto(b"nobody", (second.address, 4000))
    wait_until(lambda: bench.engine.totals().drops.get("no_route", 0) >= 1)
    assert bench.engine.counters(second.handle).packets_out == 1


def test_echoes_of_every_worker(bench: Bench, clients: list[Client]) -> None:
    for client in clients:
        bench.engine.set_keepalive(client.handle, Keepalive(2.0, 3))
    for client in clients:
        request = client.far.receive_frame()
        client.far.send(LCP, b"\x0a" + request[3:6] + b"\x22\x22\x22\x22")
        wait_until(lambda client=client: bench.engine.counters(client.handle).echoes_answered >= 1)
        client.far.send(LCP, b"\x09\x06\x00\x08\x22\x22\x22\x22")
        while client.far.receive_frame()[:3] != LCP + b"\x0a":
            pass


@pytest.mark.parametrize("workers", [0, MAX_WORKERS + 1])
def test_the_number_of_workers_makes_sense(workers: int) -> None:
    with pytest.raises(ValueError, match="workers"):
        Engine(workers=workers)


def test_closing_takes_every_queue(bench: Bench) -> None:
    assert bench.engine.tun_name in bench.near.interfaces()
    bench.engine.close()
    wait_until(lambda: bench.engine.tun_name not in bench.near.interfaces())
