"""Sockets that leave by one interface."""

import errno
import socket

import pytest

from holdfast.probe.outcome import ProbeFailedError, Stage
from holdfast.probe.place import Place


def complaint(place: Place) -> str:
    with pytest.raises(ProbeFailedError) as caught:
        place.open(socket.SOCK_DGRAM)
    assert caught.value.stage is Stage.HOST
    return caught.value.detail


def test_a_socket_is_bound_to_the_interface_and_the_address() -> None:
    with Place("lo", "127.0.0.3").open(socket.SOCK_DGRAM) as opened:
        bound = opened.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        assert bound.rstrip(b"\0") == b"lo"
        assert opened.getsockname()[0] == "127.0.0.3"
    with Place("lo").outside.open(socket.SOCK_DGRAM) as opened:
        assert not opened.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0")


def test_what_the_host_refuses_is_said() -> None:
    assert complaint(Place("no-such-link")) == "there is no interface no-such-link"
    assert complaint(Place("lo", "192.0.2.1")) == "lo has another address now"


def test_a_missing_right_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> socket.socket:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refuse)
    assert "CAP_NET_RAW" in complaint(Place())
