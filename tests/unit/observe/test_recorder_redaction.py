"""What of a frame is kept. Secrets and user traffic must not be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.observe.recorder_redaction import CUT, REDACTED, redact
from holdfast.ppp.framing import Protocol, join
from holdfast.ppp.packet import Packet

SECRET = b"\xde\xad\xbe\xef" * 4


def frame(protocol: int, code: int, data: bytes) -> bytes:
    return join(protocol, Packet(code, 7, data).encode())


@pytest.mark.parametrize(
    ("protocol", "code", "data", "kept"),
    [
        (Protocol.PAP, 1, b"\x05alice\x06secret", b"\x05alice" + bytes(7)),
        (Protocol.PAP, 1, b"\xffalice\x06secret", bytes(13)),
        (Protocol.PAP, 9, b"secret", bytes(6)),
        (Protocol.CHAP, 1, b"\x10" + SECRET + b"holdfast", b"\x10" + bytes(16) + b"holdfast"),
        (Protocol.CHAP, 2, b"\x10" + SECRET + b"alice", b"\x10" + bytes(16) + b"alice"),
        (Protocol.CHAP, 2, b"\xff" + SECRET, bytes(17)),
        (Protocol.CHAP, 3, b"S=0A1B M=Welcome", b"S=0000 M=Welcome"),
        (Protocol.CHAP, 4, b"E=691 R=1 C=0a1b V=3 M=no", b"E=691 R=1 C=0000 V=3 M=no"),
        (Protocol.CHAP, 7, SECRET, bytes(16)),
        (Protocol.EAP, 2, b"\x04" + SECRET, b"\x04" + bytes(16)),
        (Protocol.EAP, 2, b"\x1a" + SECRET, b"\x1a" + bytes(16)),
    ],
)
def test_authentication_is_kept_without_its_secrets(protocol, code, data, kept):
    found = redact(frame(protocol, code, data))
    assert found.octets == frame(protocol, code, kept)
    assert found.original == len(found.octets)
    assert found.comment == REDACTED


@pytest.mark.parametrize(
    ("protocol", "code", "data"),
    [
        (Protocol.PAP, 3, b"\x05wrong"),
        (Protocol.CHAP, 3, b"Welcome"),
        (Protocol.EAP, 2, b"\x01alice"),
        (Protocol.EAP, 3, b""),
        (Protocol.LCP, 1, b"\x01\x04\x05\x78"),
        (Protocol.CCP, 1, b"\x12\x06\x01\x00\x00\x40"),
        (Protocol.IPCP, 1, b"\x03\x06\x0a\x4d\x00\x0a"),
        (0x8057, 1, b""),
    ],
)
def test_negotiation_is_kept_whole(protocol, code, data):
    whole = frame(protocol, code, data)
    assert redact(whole).octets == whole
    assert redact(whole).comment == ""


@pytest.mark.parametrize("protocol", [Protocol.IP, Protocol.IPV6, Protocol.COMPRESSED, Protocol.VJ_COMPRESSED, 0xC027])
def test_of_everything_else_only_the_protocol_is_kept(protocol):
    found = redact(join(protocol, SECRET))
    assert (found.octets, found.original, found.comment) == (protocol.to_bytes(2), 18, CUT)


def test_a_protocol_reject_does_not_give_away_the_packet_it_rejects():
    rejected = frame(Protocol.LCP, 8, Protocol.IPV6.to_bytes(2) + SECRET)
    found = redact(rejected)
    assert found.octets == rejected[:8]
    assert found.original == len(rejected)


@given(st.sampled_from([0xC023, 0xC223, 0xC227, 0xC021, 0x0021, 0x8021, 0x0057]), st.binary(max_size=40))
def test_no_frame_is_too_strange(protocol, information):
    whole = join(protocol, information)
    found = redact(whole)
    assert found.original == len(whole) >= len(found.octets)


@given(st.binary(max_size=60))
def test_short_frames(octets):
    assert redact(octets).original == len(octets)
