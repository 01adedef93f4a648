"""Packets of PAP, CHAP and MS-CHAP taken apart and put together, without any machine.

The capture analyser reads with the same functions as the machines. Everything secret comes out wrapped.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from holdfast.secret import Secret
from holdfast.wire.text import printable


def printable_text(data: bytes, limit: int = 256) -> str:
    """Return a message from the other side as text that is safe to print, cut after `limit` octets."""
    return printable(data[:limit])


def message_octets(message: str, limit: int = 200) -> bytes:
    """Return a message for the other side: one line of printable UTF-8, at most `limit` octets."""
    line = "".join(char if char.isprintable() else " " for char in message)
    return line.encode(errors="replace")[:limit].decode(errors="ignore").encode()


# --- PAP -------------------------------------------------------------------------------------------------------

AUTHENTICATE_REQUEST, AUTHENTICATE_ACK, AUTHENTICATE_NAK = 1, 2, 3


class AuthenticateRequest(NamedTuple):
    """The data of an Authenticate-Request."""

    peer_id: bytes
    password: Secret


def parse_request(data: bytes) -> AuthenticateRequest | None:
    """Parse the data of an Authenticate-Request (RFC 1334 section 2.2.1); None when a length does not fit."""
    if not data:
        return None
    rest = data[1 + data[0] :]
    if not rest or len(rest) < 1 + rest[0]:
        return None
    return AuthenticateRequest(data[1 : 1 + data[0]], Secret(rest[1 : 1 + rest[0]]))


def build_request(peer_id: bytes, password: bytes) -> bytes:
    """Build the data of an Authenticate-Request. ValueError when a part has more than 255 octets."""
    if max(len(peer_id), len(password)) > 255:
        raise ValueError("PAP carries at most 255 octets of name and of password")
    return bytes((len(peer_id),)) + peer_id + bytes((len(password),)) + password


def parse_message(data: bytes) -> str:
    """Return the message of an Ack or Nak as text; "" when there is none (some peers leave out its length too)."""
    return printable_text(data[1 : 1 + data[0]]) if data else ""


def build_message(message: str) -> bytes:
    """Build the data of an Ack or Nak."""
    text = message_octets(message)
    return bytes((len(text),)) + text


# --- CHAP ------------------------------------------------------------------------------------------------------

CHALLENGE, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4


class ChapValue(NamedTuple):
    """The data of a Challenge or Response."""

    value: bytes
    name: bytes

    def __repr__(self) -> str:
        return f"ChapValue(value=***, name={self.name!r})"


def parse_value(data: bytes) -> ChapValue | None:
    """Parse the data of a Challenge or Response (RFC 1994 section 4.1); None when Value-Size does not fit."""
    if not data or not 0 < data[0] < len(data):
        return None
    return ChapValue(data[1 : 1 + data[0]], data[1 + data[0] :])


def build_value(value: bytes, name: bytes) -> bytes:
    """Build the data of a Challenge or Response."""
    return bytes((len(value),)) + value + name


# --- MS-CHAP ---------------------------------------------------------------------------------------------------

CHANGE_PASSWORD = {5: "Change-Password (version 1)", 6: "Change-Password (version 2)", 7: "Change-Password"}
"""RFC 2433 sections 9 and 10, RFC 2759 section 7."""

RESPONSE_SIZE = 49
"""Octets of a Response value in both versions."""
SUCCESS_SIZE = 42
"""Octets of `S=<40 hex digits>`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The text of a Failure packet (RFC 2433 section 8, RFC 2759 section 6). Absent fields keep the default."""

    error: int = 0
    retry: bool = False
    challenge: Secret | None = None
    version: int = 1
    message: str = ""


_FIELDS = re.compile(rb"(?:^| )([ERCV])=([0-9A-Fa-f]{1,32})(?= |$)")


def parse_failure(text: bytes) -> Failure:
    """Parse the text of a Failure; what it does not say or says wrong keeps its default, unknown text is ignored."""
    head, _, message = (b" " + text[:512]).partition(b" M=")
    found = dict(_FIELDS.findall(head.strip()))
    challenge = found.get(b"C", b"")
    return Failure(
        error=_number(found.get(b"E", b"0")),
        retry=found.get(b"R") == b"1",
        challenge=Secret(bytes.fromhex(challenge.decode())) if challenge and len(challenge) % 2 == 0 else None,
        version=_number(found.get(b"V", b"1")),
        message=printable_text(message),
    )


def _number(digits: bytes) -> int:
    return int(digits) if digits.isdigit() and len(digits) <= 10 else 0


def build_failure(error: int, retry: bool, challenge: bytes, version: int, message: str = "") -> bytes:
    """Build the text of a Failure. The message is kept to one line of printable characters."""
    head = f"E={error} R={retry:d} C={challenge.hex().upper()} V={version}"
    return head.encode() + (b" M=" + message_octets(message) if message else b"")


class MsChapResponse(NamedTuple):
    """The value of an MS-CHAPv1 Response."""

    lm_response: Secret
    nt_response: Secret
    flags: int


class MsChapV2Response(NamedTuple):
    """The value of an MS-CHAPv2 Response."""

    peer_challenge: Secret
    nt_response: Secret
    flags: int


def parse_response(value: bytes) -> MsChapResponse | None:
    """Parse the value of an MS-CHAPv1 Response (RFC 2433 section 6); None when it has not 49 octets."""
    if len(value) != RESPONSE_SIZE:
        return None
    return MsChapResponse(Secret(value[:24]), Secret(value[24:48]), value[48])


def parse_response_v2(value: bytes) -> MsChapV2Response | None:
    """Parse the value of an MS-CHAPv2 Response (RFC 2759 section 4); None when it has not 49 octets."""
    if len(value) != RESPONSE_SIZE:
        return None
    return MsChapV2Response(Secret(value[:16]), Secret(value[24:48]), value[48])
