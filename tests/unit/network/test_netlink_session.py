"""Questions that share a socket, with a stand-in for pyroute2's."""

import asyncio
from collections.abc import Iterator
from typing import Any, Self

import pytest
from pyroute2 import NetlinkError

from holdfast.errors import HostError
from holdfast.network import netlink_session
from holdfast.network.netlink_session import alter, ask, dump, session


class Socket:
    """Counts how often it is opened."""

    opened = 0

    def __enter__(self) -> Self:
        Socket.opened += 1
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture(autouse=True)
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(netlink_session, "IPRoute", Socket)
    monkeypatch.setattr(Socket, "opened", 0)
    yield
    assert netlink_session._of_this_thread.session is None


def look(_netlink: Any) -> list[int]:
    look.times += 1  # type: ignore[attr-defined]
    return [1]


@pytest.fixture(autouse=True)
def looks() -> None:
    look.times = 0  # type: ignore[attr-defined]


def test_each_question_has_a_socket_of_its_own() -> None:
    assert [dump("routes", "r", look), dump("routes", "r", look)] == [[1], [1]]
    assert (Socket.opened, look.times) == (2, 2)  # type: ignore[attr-defined]


def test_in_a_session_they_share_it_and_what_a_dump_told() -> None:
    with session(), session():
        for _ in range(3):
            dump("routes", "r", look)
        ask("link", look)
    assert (Socket.opened, look.times) == (1, 2)  # type: ignore[attr-defined]


def test_what_was_told_is_not_believed_after_a_change() -> None:
    with session():
        dump("routes", "r", look)
        alter("route", lambda _netlink: True)
        dump("routes", "r", look)
    assert look.times == 2  # type: ignore[attr-defined]


def test_a_session_ends_with_its_block_whatever_happens() -> None:
    def refuse(_netlink: Any) -> None:
        raise NetlinkError(1, "Operation not permitted")

    with pytest.raises(HostError, match="route x: the kernel refuses"), session():
        alter("route x", refuse)
    assert netlink_session._of_this_thread.session is None


def test_within_an_event_loop_every_question_goes_to_another_thread() -> None:
    async def questions() -> None:
        with session():
            dump("routes", "r", look)
            dump("routes", "r", look)

    asyncio.run(questions())
    assert Socket.opened == 2
