"""A try at servers on this machine's loopback that answer as they like."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import pytest

from holdfast.advise.reach import Reach, Tcp, resolve, try_server
from holdfast.control.codes import Role
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine

HERE = IPv4Address("127.0.0.1")
NOW = 0.0
"""The machine's clock stands still: nothing here waits for its timers."""


@contextmanager
def server(answer: "Answer") -> Iterator[int]:
    """Serve one connection with a function of its socket."""
    with socket.create_server((str(HERE), 0)) as listening:
        listening.settimeout(30)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(30)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(60)
        assert not thread.is_alive()


class Answer:
    """A PAC that grants or refuses calls; `heard` are the messages that came, by their type numbers."""

    def __init__(self, *, grants: bool = True) -> None:
        self.grants = grants
        self.heard: list[int] = []

    def __call__(self, connection: socket.socket) -> None:
        machine = ConnectionMachine(Role.PAC, ControlConfig(host_name="fake"))
        while octets := connection.recv(4096):
            self.heard.append(int.from_bytes(octets[8:10]))
            machine.receive(octets, NOW)
            for command in machine.commands():
                self._act(machine, command)
            for out in machine.outgoing():
                connection.sendall(out)
            if machine.closed:
                return

    def _act(self, machine: ConnectionMachine, command: object) -> None:
        call_id = getattr(command, "peer_call_id", None)
        if call_id is not None and self.grants:
            machine.accept_call(call_id, 77, NOW)
        elif call_id is not None:
            machine.refuse_call(call_id, 4, 0, NOW, "busy")


def attempt(port: int, *, call: bool = False, patience: float = 20.0) -> Reach:
    return try_server(HERE, call=call, port=port, patience=patience)


def test_an_introduction_and_a_polite_goodbye() -> None:
    answer = Answer()
    with server(answer) as port:
        reach = attempt(port)
    assert (reach.tcp, reach.introduced, reach.called) == (Tcp.OPEN, True, False)
    assert reach.peer == "Holdfast fake"
    assert answer.heard == [1, 3], "Start-Control-Connection-Request, Stop-Control-Connection-Request"


def test_a_call_that_is_refused() -> None:
    answer = Answer(grants=False)
    with server(answer) as port:
        reach = attempt(port, call=True)
    assert reach.refusal
    assert not reach.called
    assert answer.heard == [1, 7, 3]


def test_a_call_that_is_granted_is_cleared() -> None:
    answer = Answer()
    with server(answer) as port:
        reach = attempt(port, call=True, patience=1.5)
    assert reach.called
    assert not reach.gre_answered, "nobody sends GRE here"
    assert answer.heard[:3] == [1, 7, 12]


def test_a_port_that_is_closed() -> None:
    with socket.create_server((str(HERE), 0)) as listening:
        port = listening.getsockname()[1]
    reach = attempt(port)
    assert (reach.tcp, reach.introduced) == (Tcp.REFUSED, False)
    assert "refused" in reach.trouble.lower()


@pytest.mark.parametrize("banner", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 156, b""], ids=["ssh", "zeros", "nothing"])
def test_a_port_that_speaks_something_else(banner: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(banner)

    with server(answer) as port:  # type: ignore[arg-type]
        reach = attempt(port)
    assert (reach.tcp, reach.introduced) == (Tcp.OPEN, False)
    assert reach.refusal


def test_a_port_that_says_nothing() -> None:
    def answer(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass

    with server(answer) as port:  # type: ignore[arg-type]
        reach = attempt(port, patience=0.5)
    assert (reach.tcp, reach.introduced) == (Tcp.OPEN, False)


def test_names() -> None:
    assert resolve("127.0.0.1") == [HERE]
    with pytest.raises(socket.gaierror):
        resolve("no-such-name.invalid")
