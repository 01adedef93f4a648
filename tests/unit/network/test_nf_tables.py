"""Reading what nf_tables says, with a stand-in for the kernel. The real one: tests/netns/test_network_tables.py."""

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import HostError
from holdfast.network import nf_tables
from holdfast.network.nf_tables import (
    ATTRIBUTE,
    DONE,
    ERROR,
    GET_ELEMENT,
    GET_GENERATION,
    GET_RULE,
    GET_SET,
    GET_TABLE,
    MESSAGE,
    NfTables,
    attributes_of,
    messages,
)

NESTED = 0x8000


def attribute(number: int, value: bytes) -> bytes:
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(value), number) + value + bytes(-len(value) % 4)


def big(number: int) -> bytes:
    return struct.pack(">I", number)


def element(first: str, *, end: bool = False) -> bytes:
    key = attribute(1 | NESTED, attribute(1, socket.inet_aton(first)))
    return attribute(1 | NESTED, key + (attribute(3, big(1)) if end else b""))


class Kernel:
    """Answers by kind of question; a number is a refusal."""

    def __init__(self) -> None:
        self.answers: dict[int, list[bytes] | int] = {}
        self.closed = 0
        self.strangers = False
        self._waiting: list[bytes] = []

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def send(self, octets: bytes) -> None:
        _, kind, flags, sequence, _ = MESSAGE.unpack_from(octets)
        found = self.answers.get(kind, 2)
        bodies = found if isinstance(found, list) else []
        parts = [MESSAGE.pack(MESSAGE.size + 4 + len(b), kind, 0, sequence, 0) + bytes(4) + b for b in bodies]
        end = DONE if flags & 0x300 else ERROR
        number = struct.pack("=i", 0 if isinstance(found, list) else -found)
        last = ERROR if not isinstance(found, list) else end
        parts.append(MESSAGE.pack(MESSAGE.size + 4, last, 0, sequence, 0) + number)
        if self.strangers:
            parts.insert(0, MESSAGE.pack(MESSAGE.size + 4, ERROR, 0, sequence - 1, 0) + struct.pack("=i", -1))
        self._waiting.append(b"".join(parts))

    def recv(self, _size: int) -> bytes:
        if not self._waiting:
            raise TimeoutError
        return self._waiting.pop(0)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(nf_tables.socket, "socket", lambda *_: made)
    return made


def test_the_generation(kernel: Kernel) -> None:
    kernel.answers[GET_GENERATION] = [attribute(1, big(77))]
    kernel.strangers = True
    assert NfTables().generation() == 77
    assert kernel.closed == 1


def test_a_table_with_what_is_left_in_it(kernel: Kernel) -> None:
    own, other = attribute(1, b"holdfast\0"), attribute(1, b"other\0")
    kernel.answers[GET_TABLE] = [own + attribute(2, big(1)) + attribute(4, struct.pack(">Q", 5))]
    kernel.answers[GET_RULE] = [
        own + attribute(2, b"forward\0") + attribute(3, struct.pack(">Q", 3)),
        other + attribute(2, b"forward\0") + attribute(3, struct.pack(">Q", 9)),
    ]
    kernel.answers[GET_SET] = [own + attribute(2, b"filter0\0") + attribute(16, struct.pack(">Q", 4))]
    listed = element("10.0.0.1") + element("10.0.0.2", end=True) + element("192.168.0.0")
    kernel.answers[GET_ELEMENT] = [own + attribute(3 | NESTED, listed)]
    found = NfTables().read("inet", "holdfast", ["forward"], ["filter0"])
    assert found is not None
    assert (found.handle, found.dormant, found.chains, found.sets) == (5, True, {}, {"filter0": 4})
    assert found.rules == {("forward", 3)}
    assert found.members == {"filter0": {bytes((10, 0, 0, 1)), bytes((192, 168, 0, 0))}}


def test_whether_there_is_a_table(kernel: Kernel) -> None:
    assert not NfTables().has_table("inet", "holdfast")
    kernel.answers[GET_TABLE] = [attribute(1, b"holdfast\0")]
    assert NfTables().has_table("inet", "holdfast")
    assert kernel.closed == 2


def test_no_table(kernel: Kernel) -> None:
    assert NfTables().read("inet", "holdfast", ["forward"], []) is None


def test_a_refusal_says_what_to_do(kernel: Kernel) -> None:
    kernel.answers[GET_GENERATION] = 1
    with pytest.raises(HostError) as caught:
        NfTables().generation()
    assert "CAP_NET_ADMIN" in caught.value.fix
    assert kernel.closed == 1


def test_a_kernel_that_is_silent(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "send", lambda _octets: None)
    with pytest.raises(HostError, match="no answer"):
        NfTables().generation()
    assert kernel.closed == 1


def test_a_kernel_without_netfilter(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Iterator[None]:
        raise OSError(93, "Protocol not supported")

    monkeypatch.setattr(nf_tables.socket, "socket", refuse)
    with pytest.raises(HostError, match="Protocol not supported"):
        NfTables().generation()


@given(st.binary(max_size=200))
def test_nonsense_is_read_to_where_it_breaks(octets: bytes) -> None:
    for _kind, _sequence, payload in messages(octets):
        attributes_of(payload)
    attributes_of(octets)
    list(nf_tables._members(octets))
