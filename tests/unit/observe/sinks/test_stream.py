"""Connections that break."""

import socket

import pytest

from holdfast.observe.sinks.stream import Stream, Tls
from unit.observe.sinks.receivers import Tcp, certificate, tcp, until


def test_a_connection_that_was_closed_is_made_anew_without_losing_a_word() -> None:
    with tcp() as receiver:
        stream = Stream("127.0.0.1", receiver.port)
        stream.send(b"one")
        until(lambda: receiver.received == b"one")
        receiver.drop()
        until(lambda: stream._socket is not None and stream._gone(stream._socket))
        stream.send(b"two")
        until(lambda: receiver.received == b"onetwo")
        stream.close()


def test_tls_connections_too(tmp_path) -> None:
    cert, context = certificate(tmp_path)
    with tcp(context) as receiver:
        stream = Stream("127.0.0.1", receiver.port, Tls(ca=cert))
        stream.send(b"one")
        until(lambda: receiver.received == b"one")
        stream.send(b"two")
        until(lambda: receiver.received == b"onetwo")
        assert len(receiver.connections) == 1
        stream.close()


def test_nobody_there_is_an_error() -> None:
    receiver = Tcp()
    receiver.close()
    with pytest.raises(OSError, match=r"refused|reset"):
        Stream("127.0.0.1", receiver.port).send(b"x")


def test_a_receiver_that_reads_nothing_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        stream = Stream("127.0.0.1", server.getsockname()[1], timeout=0.2)
        with pytest.raises(TimeoutError):
            stream.send(bytes(20_000_000))
        stream.close()


def test_what_the_other_side_never_got_is_an_error() -> None:
    """A machine that died, or a firewall that forgot: the kernel takes lines for it for a long time."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream = Stream("127.0.0.1", server.getsockname()[1], timeout=0.3)
        with pytest.raises(TimeoutError, match="acknowledges nothing"):  # noqa: PT012 - it fails when the receiver is full
            for _ in range(400):
                stream.send(bytes(50_000))
        stream.close()
