"""Packets are read, written and described; lengths that cannot be are refused."""

import pytest

from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet, describe, parse
from holdfast.wire.errors import MalformedError


def test_round_trip_and_padding() -> None:
    packet = Packet(1, 200, b"\x01\x04\x05\xdc")
    assert packet.encode() == bytes.fromhex("01c80008 010405dc")
    assert parse(packet.encode()) == packet
    assert parse(packet.encode() + b"padding") == packet
    assert packet.options() == [Option(1, b"\x05\xdc")]


@pytest.mark.parametrize("octets", ["", "01", "010000", "01010003", "01010000", "01010005", "0101ffff00"])
def test_impossible_length(octets: str) -> None:
    with pytest.raises(MalformedError):
        parse(bytes.fromhex(octets))


@pytest.mark.parametrize("options", ["01", "0100", "0101", "010405", "07020100", "0702ff"])
def test_impossible_option_length(options: str) -> None:
    with pytest.raises(MalformedError):
        Packet(1, 1, bytes.fromhex(options)).options()


@pytest.mark.parametrize(
    ("protocol", "code", "data", "text"),
    [
        (Protocol.LCP, 1, "010405780506123456780702", "mru=1400 magic=0x12345678 pfc"),
        (Protocol.LCP, 4, "0d0306", "callback=06"),
        (Protocol.LCP, 1, "0100", "malformed: option 1 at offset 0 has length 0, below 2"),
        (Protocol.LCP, 5, b"User request".hex(), "User request"),
        (Protocol.LCP, 5, "7ff04cbc003ccd74000002b3", "Windows error 691: access denied: wrong user name or password"),
        (Protocol.LCP, 7, "0c030012", "Identification"),
        (Protocol.LCP, 7, "", ""),
        (Protocol.LCP, 8, "80570101", "IPV6CP"),
        (Protocol.LCP, 8, "80", "80"),
        (Protocol.LCP, 9, "000000010203", "magic=0x00000001 2 octets"),
        (Protocol.LCP, 12, "00000001" + b"MSRASV5.20".hex(), "magic=0x00000001 MSRASV5.20"),
        (Protocol.LCP, 13, "000000010000003c", "magic=0x00000001 seconds=60"),
        (Protocol.CCP, 14, "", ""),
        (Protocol.LCP, 77, "0102", "0102"),
    ],
)
def test_text(protocol: int, code: int, data: str, text: str) -> None:
    assert describe(protocol, Packet(code, 1, bytes.fromhex(data))) == text


def test_authentication_is_described_without_its_secrets() -> None:
    packet = Packet(1, 1, b"\x05alice\x06secret")
    assert describe(Protocol.PAP, packet) == "user=alice"
