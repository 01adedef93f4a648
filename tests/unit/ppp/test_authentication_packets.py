"""Packets of PAP, CHAP and MS-CHAP: what reads back, what is malformed, what is hostile."""

import pytest

from holdfast.ppp.authentication_packets import (
    ChapValue,
    Failure,
    build_failure,
    build_message,
    build_request,
    build_value,
    message_octets,
    parse_failure,
    parse_message,
    parse_request,
    parse_response,
    parse_response_v2,
    parse_value,
    printable_text,
)
from holdfast.secret import Secret

CHALLENGE_32 = "0123456789ABCDEFFEDCBA9876543210"


def test_pap_requests_read_back() -> None:
    for name, password in ((b"ixia", b"sesame"), (b"", b""), (b"u" * 255, b"p" * 255)):
        assert parse_request(build_request(name, password)) == (name, Secret(password))


def test_pap_messages_read_back() -> None:
    assert parse_message(build_message("welcome")) == "welcome"
    assert len(build_message("x" * 1000)) <= 256


def test_chap_values_read_back() -> None:
    for value, name in ((b"x", b""), (bytes(255), b"gate"), (b"12345", bytes(300))):
        assert parse_value(build_value(value, name)) == ChapValue(value, name)


def test_messages_of_ours_are_one_printable_line() -> None:
    assert message_octets("two\nlines \ud800") == b"two lines  "
    assert message_octets("\u00e4" * 200, 5) == "ää".encode()


def test_messages_of_theirs_are_safe_to_print() -> None:
    assert printable_text(b"\x1b[2J" + b"a" * 500, 10) == "\\x1b[2Jaaaaaa"


def test_empty_name_and_password_are_judged_like_any_other() -> None:
    assert parse_request(b"\0\0") == (b"", Secret(b""))


@pytest.mark.parametrize(
    ("data", "text"), [(b"", ""), (b"\0", ""), (b"\x02hi", "hi"), (b"\x09hi", "hi"), (b"\x02\n!", "\\x0a!")]
)
def test_messages(data: bytes, text: str) -> None:
    assert parse_message(data) == text


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (
            f"E=691 R=1 C={CHALLENGE_32} V=3 M=Wrong = no entry",
            Failure(691, True, Secret(bytes.fromhex(CHALLENGE_32)), 3, "Wrong = no entry"),
        ),
        ("E=648 R=0 C=0011223344556677 V=2", Failure(648, False, Secret(bytes.fromhex("0011223344556677")), 2, "")),
        ("E=647 R=0", Failure(647)),
        ("E=691 R=0 ", Failure(691)),
        ("E=649 R=1 Try again", Failure(649, True)),
        ("", Failure()),
        ("Access denied", Failure()),
        ("E=691 X=7 R=1 nonsense V=3", Failure(691, True, None, 3)),
        ("R=1 E=691", Failure(691, True)),
        ("E=6G1 R=2 C=XYZ V=-1", Failure()),
        ("E=99999999999 C=123", Failure()),
        ("M=E=691 R=1", Failure(message="E=691 R=1")),
        ("E=691 M=\x07bell", Failure(691, message="\\x07bell")),
    ],
)
def test_failure_texts(text: str, failure: Failure) -> None:
    assert parse_failure(text.encode()) == failure


@pytest.mark.parametrize("text", [b"\xff" * 2000, b"E=" * 500, b"E=1 " * 400, b"C=" + b"0" * 900, b" M=" * 300])
def test_hostile_failure_texts(text: bytes) -> None:
    assert len(parse_failure(text).message) <= 4 * 256


def test_built_texts_read_back() -> None:
    challenge = bytes(range(16))
    text = build_failure(691, True, challenge, 3, "try again")
    assert text == b"E=691 R=1 C=000102030405060708090A0B0C0D0E0F V=3 M=try again"
    assert parse_failure(text) == Failure(691, True, Secret(challenge), 3, "try again")


@pytest.mark.parametrize(
    ("message", "end"), [("two\nlines\0", b" M=two lines "), ("ä" * 300, b" M=" + "ä".encode() * 100), ("", b"")]
)
def test_messages_stay_short_and_on_one_line(message: str, end: bytes) -> None:
    assert build_failure(691, False, bytes(16), 3, message) == b"E=691 R=0 C=" + b"0" * 32 + b" V=3" + end


@pytest.mark.parametrize("size", [0, 48, 50])
def test_responses_have_49_octets(size: int) -> None:
    assert parse_response(bytes(size)) is None
    assert parse_response_v2(bytes(size)) is None
