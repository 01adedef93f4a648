"""What TCP_INFO tells, on real sockets, and how connections end."""

import errno
import socket
from collections.abc import Iterator

import pytest

from holdfast.errors import ControlEnd
from holdfast.network.tcp_info import TcpPath, tcp_end, tcp_path


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with client, accepted:
            yield client, accepted


def test_both_ends_know_the_round_trip_of_the_handshake(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        path = tcp_path(end)
        assert 0 < path.round_trip < 5
        assert 0 < path.deviation < 5
        assert path.retransmits == 0


def test_of_what_is_no_connection_nothing_is_known(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].close()
    with socket.socket(socket.AF_UNIX) as other, socket.socket() as unconnected:
        assert [tcp_path(one) for one in (None, pair[0], other)] == [TcpPath()] * 3
        assert tcp_path(unconnected) == TcpPath(), "the guess of the first timeout is no measurement"


@pytest.mark.parametrize(
    ("error", "end_of_file", "end"),
    [
        (None, True, ControlEnd.FIN),
        (None, False, ControlEnd.LOCAL),
        (ConnectionResetError(errno.ECONNRESET, "reset"), False, ControlEnd.RST),
        (BrokenPipeError(errno.EPIPE, "pipe"), True, ControlEnd.RST),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), False, ControlEnd.TIMEOUT),
        (OSError(errno.EHOSTUNREACH, "no route"), False, ControlEnd.UNREACHABLE),
        (ValueError("ours"), False, ControlEnd.LOCAL),
    ],
)
def test_each_end_has_its_word(error: Exception | None, end_of_file: bool, end: ControlEnd) -> None:
    assert tcp_end(error, end_of_file=end_of_file) is end
