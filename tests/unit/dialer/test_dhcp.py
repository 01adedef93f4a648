"""DHCPINFORM and what servers answer to it."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.dialer.dhcp import HEADER, MAGIC_COOKIE, Answer, accept, inform, read_answer
from holdfast.network.packets import read_datagram

HERE = IPv4Address("10.77.0.10")
TRANSACTION = 0x12345678


def ack(options: bytes, *, op: int = 2, transaction: int = TRANSACTION, end: bytes = b"\xff") -> bytes:
    header = HEADER.pack(op, 8, 6, 0, transaction, 0, 0, HERE.packed, *(bytes(n) for n in (4, 4, 4, 16, 64, 128)))
    return header + MAGIC_COOKIE + b"\x35\x01\x05" + options + end


def option(code: int, value: bytes) -> bytes:
    return bytes((code, len(value))) + value


def networks(*texts: str) -> tuple[IPv4Network, ...]:
    return tuple(map(IPv4Network, texts))


def test_the_question() -> None:
    datagram = read_datagram(inform(HERE, TRANSACTION))
    assert datagram is not None
    assert (datagram.source, datagram.source_port, datagram.destination_port) == (HERE, 68, 67)
    fields = HEADER.unpack_from(datagram.payload)
    assert (fields[0], fields[4], fields[7]) == (1, TRANSACTION, HERE.packed)
    options = datagram.payload[HEADER.size :]
    assert options[:7] == MAGIC_COOKIE + b"\x35\x01\x08"
    assert {121, 249} <= set(options[9:14])
    assert options[-1] == 255


def test_the_examples_of_rfc_3442() -> None:
    # RFC 3442, "Classless Route Option Format": each destination with its descriptor; router 0 means on link.
    table = {
        "00": "0.0.0.0/0",
        "080a": "10.0.0.0/8",
        "180a0000": "10.0.0.0/24",
        "100a11": "10.17.0.0/16",
        "180a1b81": "10.27.129.0/24",
        "190a1b8180": "10.27.129.128/25",
        "200a00812b": "10.0.129.43/32",
    }
    coded = b"".join(bytes.fromhex(descriptor) + bytes((10, 77, 0, 1)) for descriptor in table)
    answer = read_answer(ack(option(121, coded)), TRANSACTION)
    assert answer is not None
    assert answer.routes == networks(*table.values())


def test_the_microsoft_number_counts_where_121_is_missing() -> None:
    route = bytes.fromhex("080a") + bytes(4)
    other = bytes.fromhex("10c0a8") + bytes(4)
    only = read_answer(ack(option(249, route)), TRANSACTION)
    both = read_answer(ack(option(249, other) + option(121, route)), TRANSACTION)
    assert only is not None
    assert both is not None
    assert only.routes == both.routes == networks("10.0.0.0/8")


def test_dns_and_domain() -> None:
    answer = read_answer(ack(option(6, bytes((10, 0, 0, 1, 10, 0, 0, 2))) + option(15, b"corp.example\0")), TRANSACTION)
    assert answer == Answer((), (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")), "corp.example")


@pytest.mark.parametrize("name", [b"a b", b"../x", b"x\nnameserver 6.6.6.6", b"\xff\xfe", b"a..b", b"a" * 64])
def test_a_domain_that_is_none_is_left_out(name: bytes) -> None:
    answer = read_answer(ack(option(15, name)), TRANSACTION)
    assert answer is not None
    assert answer.domain == ""


def test_an_option_in_parts_is_joined() -> None:
    answer = read_answer(ack(option(121, b"\x08\x0a\x0a") + b"\0" + option(121, b"\x4d\x00\x01")), TRANSACTION)
    assert answer is not None
    assert answer.routes == networks("10.0.0.0/8")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        ack(b"", op=1),
        ack(b"", transaction=1),
        ack(option(53, b"\x06")),
        ack(b"\x79\x0a\x08"),
        ack(b"\x79", end=b""),
        ack(option(121, b"\x21" + bytes(9))),
        ack(option(121, b"\x08\x0a\x01")),
        ack(b"").replace(MAGIC_COOKIE, b"\0\0\0\0"),
    ],
)
def test_what_is_no_answer(message: bytes) -> None:
    assert read_answer(message, TRANSACTION) is None


@pytest.mark.parametrize("text", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"])
def test_the_default_route_is_refused_in_split_mode(text: str) -> None:
    answer = Answer(networks(text, "10.0.0.0/8"))
    split = accept(answer, everything=False)
    assert split.routes == networks("10.0.0.0/8")
    assert "all traffic" in split.refused[0]
    assert accept(answer, everything=True).routes == answer.routes


@pytest.mark.parametrize("text", ["127.0.0.0/8", "224.0.0.0/4", "169.254.0.0/16", "192.168.1.0/24", "192.168.0.0/16"])
def test_networks_that_are_not_the_servers_to_give(text: str) -> None:
    accepted = accept(Answer(networks(text)), everything=False, taken=networks("192.168.1.0/24"))
    assert accepted.routes == ()
    assert text in accepted.refused[0]


@given(st.binary(max_size=120))
def test_no_options_make_it_fail(noise: bytes) -> None:
    answer = read_answer(ack(noise), TRANSACTION)
    if answer is not None:
        accept(answer, everything=False)
