"""Answers come from the address that was asked."""

import asyncio
import socket

import pytest

from holdfast.gateway.answering_socket import AT_A_TIME, AnsweringSocket, Asker

pytestmark = pytest.mark.asyncio


def asking(address: str, port: int) -> socket.socket:
    """Return a socket that hears nobody but whom it asks."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.connect((address, port))
    return made


async def heard(one: socket.socket) -> bytes:
    async with asyncio.timeout(60):
        return await asyncio.get_running_loop().sock_recv(one, 100)


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2", "127.3.4.5"])
async def test_the_address_that_was_asked_answers(asked, unused_udp_port):
    echo = AnsweringSocket("0.0.0.0", unused_udp_port, lambda octets, asker: echo.send(octets[::-1], asker))
    with asking(asked, unused_udp_port) as one:
        one.send(b"abc")
        assert await heard(one) == b"cba"
    echo.close()


async def test_more_than_a_turn_holds_is_taken_in_the_next(unused_udp_port):
    taken: list[tuple[bytes, Asker]] = []
    there = AnsweringSocket("127.0.0.1", unused_udp_port, lambda octets, asker: taken.append((octets, asker)))
    with asking("127.0.0.1", unused_udp_port) as one:
        for number in range(2 * AT_A_TIME):
            one.send(bytes((number,)))
        async with asyncio.timeout(60):
            while len(taken) < 2 * AT_A_TIME:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert {asker.address for _, asker in taken} == {one.getsockname()}
    there.close()


async def test_an_asker_that_is_gone_harms_nobody(unused_udp_port):
    echo = AnsweringSocket("127.0.0.1", unused_udp_port, lambda octets, asker: echo.send(octets + b"!", asker))
    for _ in range(5):
        with asking("127.0.0.1", unused_udp_port) as gone:
            gone.send(b"x")
        await asyncio.sleep(0.02)
    with asking("127.0.0.1", unused_udp_port) as one:
        one.send(b"abc")
        assert await heard(one) == b"abc!"
    echo.close()


async def test_closed_by_who_takes_it_and_a_taken_port(unused_udp_port):
    taken: list[bytes] = []
    one = AnsweringSocket("127.0.0.1", unused_udp_port, lambda octets, _: (taken.append(octets), one.close()))
    with pytest.raises(OSError, match="in use"):
        AnsweringSocket("127.0.0.1", unused_udp_port, lambda *_: None)
    with asking("127.0.0.1", unused_udp_port) as asker:
        asker.send(b"1")
        asker.send(b"2")
        async with asyncio.timeout(60):
            while not taken:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert taken == [b"1"]
