"""Why the peer hangs up, in the words of pppd and the numbers of Windows."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.ppp.termination import RAS_ERRORS, SERVERS_REASONS, ras_error, terminate_cause, terminate_words


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        ("7ff04cbc003ccd74000002b3", 691, DisconnectReason.AUTH_FAILED),
        ("41131244003ccd74000002dc", 732, DisconnectReason.NEGOTIATION_FAILED),
        ("41131244003ccd74000002e2", 738, DisconnectReason.NO_ADDRESS),
        ("572d2d6c003ccd74000003a2", 930, DisconnectReason.AUTH_UNAVAILABLE),
        ("6f1a171a003ccd7400000000", 0, DisconnectReason.USER_REQUEST),
        ("6f1a171a003ccd7400001234", 0x1234, None),
    ],
)
def test_windows_errors(data: str, error: int, reason: DisconnectReason | None) -> None:
    cause = terminate_cause(bytes.fromhex(data))
    assert (cause.ras_error, cause.reason) == (error, reason)
    assert str(error) in cause.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("User request", DisconnectReason.USER_REQUEST),
        ("MPPE disabled", DisconnectReason.USER_REQUEST),
        ("MPPE required but not available", DisconnectReason.ENCRYPTION_MISMATCH),
        ("MPPE required but peer refused", DisconnectReason.ENCRYPTION_MISMATCH),
        ("peer refused to authenticate", DisconnectReason.AUTH_REFUSED),
        ("Failed to authenticate ourselves to peer", DisconnectReason.AUTH_FAILED),
        ("Authentication failed", DisconnectReason.AUTH_FAILED),
        ("No network protocols running", DisconnectReason.NEGOTIATION_FAILED),
        ("Peer not responding", DisconnectReason.ECHO_TIMEOUT),
        ("Link inactive", DisconnectReason.IDLE_TIMEOUT),
        ("Connect time expired", DisconnectReason.SESSION_TIMEOUT),
        ("something of its own", None),
        ("", None),
    ],
)
def test_words_of_pppd(text: str, reason: DisconnectReason | None) -> None:
    cause = terminate_cause(text.encode())
    assert (cause.text, cause.reason, cause.ras_error) == (text, reason, None)


@pytest.mark.parametrize("data", ["", "7ff04cbc003ccd74", "7ff04cbc003ccd74000002", "003ccd74000002b300000000"])
def test_no_windows_error(data: str) -> None:
    assert ras_error(bytes.fromhex(data)) is None


def test_hostile_text_is_printable_and_bounded() -> None:
    text = terminate_cause(b"\x1b[31m\n" * 1000).text
    assert text.isprintable()
    assert len(text) <= 4 * 128


@pytest.mark.parametrize("reason", list(DisconnectReason))
def test_our_own_words_are_understood_or_say_nothing_else(reason: DisconnectReason) -> None:
    words = terminate_words(reason)
    assert words
    assert terminate_cause(words.encode()).reason in (reason, None)


@pytest.mark.parametrize("reason", sorted(SERVERS_REASONS))
def test_a_gateways_reason_is_believed_from_a_server_alone(reason: DisconnectReason) -> None:
    words = terminate_words(reason).encode()
    assert terminate_cause(words, from_server=True).reason is reason
    assert terminate_cause(words).reason is None


def test_a_gateways_word_in_a_sentence_names_no_reason() -> None:
    assert terminate_cause(b"the admin went home", from_server=True).reason is None


def test_the_dictionary_has_a_text_for_each_error() -> None:
    assert all(text for text, _ in RAS_ERRORS.values())
