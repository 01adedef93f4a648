"""Enhanced GRE: the figure of RFC 2637 section 4.1, flag by flag."""

import pytest

from holdfast.gre.codec import GreFault, GreHeader, GrePacket, build, parse, read, read_header

DATA = bytes.fromhex("3081880b00040007 00000001 ffffffff ff03c021".replace(" ", ""))
PACKET = GrePacket(7, 1, 0xFFFFFFFF, bytes.fromhex("ff03c021"))


def test_data_with_acknowledgment() -> None:
    assert parse(DATA) == PACKET
    assert build(PACKET) == DATA


@pytest.mark.parametrize(
    ("octets", "packet"),
    [
        ("2081880b00000007 00000005", GrePacket(7, None, 5)),
        ("3001880b00010007 00000000 21", GrePacket(7, 0, None, b"\x21")),
        ("2001880b00000000", GrePacket(0)),
    ],
)
def test_other_shapes(octets: str, packet: GrePacket) -> None:
    raw = bytes.fromhex(octets.replace(" ", ""))
    assert parse(raw) == packet
    assert build(packet) == raw
    assert not packet.unnumbered


@pytest.mark.parametrize(
    ("first", "fault"),
    [
        ("3080880b", GreFault.VERSION),
        ("3082880b", GreFault.VERSION),
        ("30810800", GreFault.PROTOCOL),
        ("b081880b", GreFault.CHECKSUM_OR_ROUTING),
        ("7081880b", GreFault.CHECKSUM_OR_ROUTING),
        ("1081880b", GreFault.NO_KEY),
    ],
)
def test_what_is_not_enhanced_gre(first: str, fault: GreFault) -> None:
    octets = bytes.fromhex(first) + DATA[4:]
    assert read(octets) is fault
    assert parse(octets) is None


def test_cut_at_every_octet() -> None:
    for length in range(len(DATA)):
        assert read(DATA[:length]) is (GreFault.TRUNCATED if length < 16 else GreFault.PAYLOAD_CUT)


def test_a_header_can_be_read_when_a_capture_cut_the_payload() -> None:
    assert read_header(DATA[:16]) == GreHeader(0x3081, 4, 7, 1, 0xFFFFFFFF, 16)


def test_octets_behind_the_payload_are_padding() -> None:
    assert parse(DATA + bytes(6)) == PACKET


def test_reserved_bits_are_ignored_and_shown() -> None:
    """Strict source route, Recur and Flags must be zero; nothing depends on them."""
    octets = bytes((DATA[0] | 0x0F, DATA[1] | 0x78)) + DATA[2:]
    assert parse(octets) == PACKET
    header = read_header(octets)
    assert isinstance(header, GreHeader)
    assert header.reserved_bits == 0x0F78
    clean = read_header(DATA)
    assert isinstance(clean, GreHeader)
    assert clean.reserved_bits == 0


def test_an_attack_frame_has_payload_and_no_number() -> None:
    """Both public samples for CVE-2020-8597 look like this: K only, then an EAP request with a huge name."""
    octets = bytes.fromhex("2001880b01180000") + bytes.fromhex("c22701010116 0410".replace(" ", "")) + b"A" * 272
    packet = parse(octets)
    assert packet is not None
    assert packet.unnumbered
    header = read_header(octets)
    assert isinstance(header, GreHeader)
    assert header.unnumbered


@pytest.mark.parametrize(
    "packet",
    [GrePacket(65536), GrePacket(-1), GrePacket(1, 1 << 32), GrePacket(1, 1, -1), GrePacket(1, 1, 1, bytes(65536))],
)
def test_numbers_that_do_not_fit(packet: GrePacket) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        build(packet)
