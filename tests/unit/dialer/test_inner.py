"""Questions asked inside a tunnel, with sockets that hear what the test says."""

import asyncio
import struct
import time
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from holdfast.dialer import inner
from holdfast.dialer.dhcp import HEADER, MAGIC_COOKIE
from holdfast.dialer.inner import InnerSocket
from holdfast.network.packets import read_datagram, udp_packet

pytestmark = pytest.mark.asyncio
HERE, THERE = IPv4Address("10.77.0.10"), IPv4Address("10.77.0.1")


class Heard(InnerSocket):
    """Without sockets: what is sent goes to `answer`, which returns what comes back."""

    def _listen(self, interface: str, protocol: int, heard: Callable[[bytes], None]) -> None: ...


def asking(answer: Callable[[bytes], bytes | None]) -> Heard:
    def send(packet: bytes) -> None:
        reply = answer(packet)
        if reply is not None:
            heard = made._heard_icmp if reply[9] == 1 else made._heard_udp
            asyncio.get_running_loop().call_soon(heard, reply)

    made = Heard("pptp0", HERE, send)
    return made


def echoed(packet: bytes) -> bytes:
    return packet[:12] + packet[16:20] + packet[12:16] + b"\0" + packet[21:]


async def test_a_ping_is_timed() -> None:
    took = await asking(echoed).ping(THERE)
    assert took is not None
    assert 0 <= took < 0.5


@pytest.mark.parametrize(
    "spoil", [lambda p: None, lambda p: echoed(p)[:24] + b"\xff\xff" + echoed(p)[26:], lambda p: p]
)
async def test_no_answer_of_ours_is_no_answer(spoil: Callable[[bytes], bytes | None]) -> None:
    assert await asking(spoil).ping(THERE, patience=0.05) is None


async def test_the_first_answer_counts_whichever_ping_it_belongs_to() -> None:
    asked: list[bytes] = []

    def third(packet: bytes) -> bytes | None:
        asked.append(packet)
        return echoed(asked[0]) if len(asked) == 3 else None

    took = await asking(third).first_answer(THERE, (0.02,) * 50)
    assert took is not None
    assert took >= 0.03, "it was the answer to the first one"
    assert len(asked) == 3


async def test_a_ping_whose_time_is_up_ends_not_the_others() -> None:
    """A process that stood still for a moment has old pings, and asks on."""
    asked: list[bytes] = []

    def third(packet: bytes) -> bytes | None:
        asked.append(packet)
        if len(asked) == 2:
            time.sleep(0.3)
        return echoed(packet) if len(asked) == 3 else None

    assert await asking(third).first_answer(THERE, (0.02,) * 5) is not None


async def test_without_any_answer_it_ends() -> None:
    asked: list[bytes] = []
    assert await asking(asked.append).first_answer(THERE, (0.3,) * 4) is None
    assert len(asked) == 4


def ack(packet: bytes, *, source_port: int = 67, wrong: bool = False) -> bytes:
    datagram = read_datagram(packet)
    assert datagram is not None
    transaction = HEADER.unpack_from(datagram.payload)[4] ^ int(wrong)
    header = HEADER.pack(2, 8, 6, 0, transaction, 0, 0, HERE.packed, *(bytes(n) for n in (4, 4, 4, 16, 64, 128)))
    options = b"\x35\x01\x05\x79\x06\x08\x0a\x0a\x4d\x00\x01\xff"
    return udp_packet(THERE, HERE, source_port, 68, header + MAGIC_COOKIE + options)


async def test_routes_are_learnt() -> None:
    answer = await asking(ack).ask_routes()
    assert answer is not None
    assert [str(network) for network in answer.routes] == ["10.0.0.0/8"]


async def test_the_question_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner, "DHCP_WAITS", (0.02, 0.02, 0.02))
    asked: list[bytes] = []

    def third(packet: bytes) -> bytes | None:
        asked.append(packet)
        return ack(packet) if len(asked) == 3 else None

    assert await asking(third).ask_routes() is not None
    assert len(asked) == 3


@pytest.mark.parametrize("answer", [lambda p: None, lambda p: ack(p, wrong=True), lambda p: ack(p, source_port=1067)])
async def test_answers_of_others_do_not_count(
    answer: Callable[[bytes], bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inner, "DHCP_WAITS", (0.02,))
    assert await asking(answer).ask_routes() is None


def from_port(packet: bytes) -> bytes:
    """What a service answers."""
    asked = read_datagram(packet)
    assert asked is not None
    return udp_packet(THERE, HERE, asked.destination_port, asked.source_port, b"yes")


def closed(packet: bytes, *, source: IPv4Address = THERE) -> bytes:
    """What a host answers at whose port nobody listens (RFC 792)."""
    body = b"\x03\x03" + bytes(6) + packet[:28]
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0, source.packed, HERE.packed) + body


@pytest.mark.parametrize("answer", [from_port, closed])
@pytest.mark.parametrize("port", [7, 53])
async def test_a_host_answers_a_datagram(answer: Callable[[bytes], bytes], port: int) -> None:
    took = await asking(answer).knock(THERE, port)
    assert took is not None
    assert 0 <= took < 0.5


@pytest.mark.parametrize(
    "answer",
    [
        lambda _packet: None,
        lambda packet: closed(packet, source=HERE),
        lambda packet: closed(packet)[:40],
        lambda packet: udp_packet(THERE, HERE, 9, 0xFFFF, b"no"),
        echoed,
    ],
)
async def test_nobody_answers_a_datagram(answer: Callable[[bytes], bytes | None]) -> None:
    assert await asking(answer).knock(THERE, 7, patience=0.05) is None
