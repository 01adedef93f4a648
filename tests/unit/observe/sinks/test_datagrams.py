"""Datagrams, and receivers that are not there."""

import socket

import pytest

from holdfast.events import Event, SinkFailed
from holdfast.observe.sinks import datagrams as module
from holdfast.observe.sinks.datagrams import Datagrams
from holdfast.observe.sinks.runner import SinkRunner
from holdfast.observe.sinks.syslog import SyslogDatagrams
from unit.observe.sinks.receivers import LINES, udp, until


def closed_port() -> int:
    with udp() as receiver:
        return receiver.getsockname()[1]


def test_each_arrives() -> None:
    with udp() as receiver:
        sender = Datagrams("127.0.0.1", receiver.getsockname()[1])
        sender.send([b"one", b"two"])
        sender.send(iter([b"three"]))
        assert [receiver.recv(100) for _ in range(3)] == [b"one", b"two", b"three"]
        sender.close()


def test_nobody_there_is_an_error_at_the_first_one() -> None:
    sender = Datagrams("127.0.0.1", closed_port())
    with pytest.raises(ConnectionRefusedError):
        sender.send([b"one"])
    sender.close()


def test_the_first_address_with_a_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with udp() as receiver:
        to = ("127.0.0.1", receiver.getsockname()[1])
        found = [
            (socket.AF_INET6, socket.SOCK_DGRAM, 0, "", ("2001:db8::1%lo", 1, 0, 2**31)),
            (socket.AF_INET, socket.SOCK_DGRAM, 0, "", to),
        ]
        monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: found)
        sender = Datagrams("log.example", 514)
        sender.send([b"one"])
        assert receiver.recv(100) == b"one"
        sender.close()


def test_a_receiver_that_is_away_is_told_once() -> None:
    """It seemed to take the first line of each new socket: then its failures and recoveries kept each other going."""
    told: list[Event] = []
    feeder: SinkRunner

    def tell(event: Event) -> None:
        told.append(event)
        feeder.offer([LINES[1]])

    sink = SyslogDatagrams("x", "127.0.0.1", closed_port(), 3)
    feeder = SinkRunner(sink, tell, first_retry=0.01)
    feeder.offer(LINES)
    until(lambda: feeder._tried_at > 0 and feeder.waiting == 3)
    tried = feeder._tried_at
    until(lambda: feeder._tried_at > tried + 0.05)
    feeder.close()
    assert len(told) == 1
    assert isinstance(told[0], SinkFailed)
