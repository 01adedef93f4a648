"""Frames come apart in every shape that RFC 1661 and RFC 1662 allow."""

import pytest

from holdfast.ppp.framing import Frame, Protocol, join, protocol_name, split


@pytest.mark.parametrize(
    ("octets", "frame"),
    [
        ("c021 01020004", Frame(Protocol.LCP, bytes.fromhex("01020004"))),
        ("ff03 c021 01020004", Frame(Protocol.LCP, bytes.fromhex("01020004"))),
        ("0021 45", Frame(Protocol.IP, b"\x45")),
        ("21 45", Frame(Protocol.IP, b"\x45")),
        ("fd 9000", Frame(Protocol.COMPRESSED, b"\x90\x00")),
        ("00fd 9000", Frame(Protocol.COMPRESSED, b"\x90\x00")),
        ("ff03 fd 9000", Frame(Protocol.COMPRESSED, b"\x90\x00")),
        ("80fd", Frame(Protocol.CCP, b"")),
        ("21", Frame(Protocol.IP, b"")),
        ("ff 45", Frame(0xFF, b"\x45")),
    ],
)
def test_split(octets: str, frame: Frame) -> None:
    assert split(bytes.fromhex(octets)) == frame


@pytest.mark.parametrize("octets", ["", "ff03", "c0", "c020 01", "8022", "0000", "ff03c0", "ff030000"])
def test_what_has_no_protocol_number_is_none(octets: str) -> None:
    assert split(bytes.fromhex(octets)) is None


@pytest.mark.parametrize("protocol", list(Protocol))
def test_join_is_undone_by_split(protocol: Protocol) -> None:
    assert split(join(protocol, b"abc")) == Frame(protocol, b"abc")


def test_names() -> None:
    assert protocol_name(0x8057) == "IPV6CP"
    assert protocol_name(0x0057) == "IPv6"
    assert protocol_name(0x1234) == "0x1234"
