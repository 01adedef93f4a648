"""Authentication packets for people."""

import pytest

from holdfast.ppp.authentication_text import describe_authentication
from support.authentication import METHODS, PASSWORD, Pair

PAP, CHAP, EAP = 0xC023, 0xC223, 0xC227


@pytest.mark.parametrize(
    ("protocol", "code", "data", "text"),
    [
        (PAP, 1, b"\x04ixia\x06sesame", "user=ixia"),
        (PAP, 1, b"\x09ixia", "malformed"),
        (PAP, 2, b"\x02ok", "message=ok"),
        (PAP, 3, b"", ""),
        (CHAP, 1, b"\x02zzgate", "value=2 octets name=gate"),
        (CHAP, 2, b"\x02zz", "value=2 octets"),
        (CHAP, 2, b"\x09zz", "malformed"),
        (CHAP, 3, b"S=" + b"0" * 40 + b" M=hi", "message=hi"),
        (CHAP, 3, b"S=" + b"0" * 40, ""),
        (CHAP, 3, b"Welcome\n", "message=Welcome\\x0a"),
        (CHAP, 4, b"E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=No", "E=691 R=1 V=3 M=No"),
        (CHAP, 4, b"E=647 R=0", "E=647 R=0 V=1"),
        (CHAP, 4, b"bad", "message=bad"),
        (CHAP, 7, bytes(582), "582 octets"),
        (EAP, 1, b"\x01", "Identity"),
        (EAP, 2, b"\x01alice@example.net", "Identity alice@example.net"),
        (EAP, 1, b"\x02hi\n", "Notification hi\\x0a"),
        (EAP, 2, b"\x03\x0d\x63", "Nak wanted=EAP-TLS,EAP type 99"),
        (EAP, 1, b"\x04abc", "EAP-MD5 3 octets"),
        (EAP, 2, b"\x19\0secret", "PEAP 7 octets"),
        (EAP, 1, b"", ""),
        (EAP, 3, b"", ""),
        (EAP, 4, b"odd", "3 octets"),
    ],
)
def test_texts(protocol: int, code: int, data: bytes, text: str) -> None:
    assert describe_authentication(protocol, code, data) == text


@pytest.mark.parametrize("method", METHODS)
def test_no_text_holds_a_secret(method: str) -> None:
    pair = Pair(method, password=b"guess").start()
    protocol = PAP if method == "pap" else CHAP
    for packet in pair.sent + pair.answered:
        text = describe_authentication(protocol, packet[0], packet[4:])
        assert "guess" not in text
        assert PASSWORD.decode() not in text
        for start in range(5, len(packet) - 8):
            assert packet[start : start + 8].hex() not in text.lower()
