"""RADIUS packets: written, signed, read and judged (RFC 2865 section 3, RFC 2869 section 5.14, RFC 5176 section 2.3).

Message-Authenticator stands first in all that we send for authentication, and what comes back must carry one: without
it the MD5 of a response can be forged by who sits in between (the attack of 2024).
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import md5

from holdfast.radius.attributes import Attribute, Attributes, read_attributes, write_attributes
from holdfast.radius.codes import Code
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError
from holdfast.wire.tlv import HEADER_SIZE as ATTRIBUTE_HEADER

HEADER_SIZE = 20
LARGEST = 4096
AUTHENTICATOR_SIZE = 16
MESSAGE_AUTHENTICATOR = 80
NOTHING = bytes(AUTHENTICATOR_SIZE)

RANDOM_AUTHENTICATOR = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
"""Requests whose authenticator is random; that of all others is a digest (RFC 2866 section 3)."""


class PacketFault(StrEnum):
    """Why octets are not taken."""

    MALFORMED = "not a RADIUS packet"
    WRONG_AUTHENTICATOR = "signed with another shared secret"
    WRONG_MESSAGE_AUTHENTICATOR = "its Message-Authenticator is wrong: another shared secret, or forged"
    NO_MESSAGE_AUTHENTICATOR = "it carries no Message-Authenticator, which is required"


@dataclass(frozen=True, slots=True)
class RadiusPacket:
    """A packet as it stands. `authenticator` has 16 octets."""

    code: int
    identifier: int
    authenticator: bytes
    attributes: tuple[Attribute, ...] = ()

    @property
    def values(self) -> Attributes:
        """The attributes, to be asked by name."""
        return Attributes(self.attributes)


def read_packet(octets: bytes) -> RadiusPacket:
    """Read a packet; octets behind its length are padding. MalformedError when the RFC wants it discarded."""
    if len(octets) < HEADER_SIZE:
        raise MalformedError(f"{len(octets)} octets, too short for RADIUS")
    length = int.from_bytes(octets[2:4])
    if not HEADER_SIZE <= length <= min(LARGEST, len(octets)):
        raise MalformedError(f"length {length} in a packet of {len(octets)} octets")
    attributes = read_attributes(octets[HEADER_SIZE:length])
    return RadiusPacket(octets[0], octets[1], bytes(octets[4:HEADER_SIZE]), attributes)


def write_request(
    code: int,
    identifier: int,
    attributes: Iterable[Attribute],
    shared: Secret,
    authenticator: bytes = NOTHING,
    *,
    signed: bool = True,
    written: bytes = b"",
) -> bytes:
    """Return a signed request. Not `signed`, an Access-Request goes without Message-Authenticator, to find faults.

    `written`: more attributes, as octets already; no Message-Authenticator is looked for in them.

    `authenticator`: 16 random octets for Access-Request and Status-Server, which get a Message-Authenticator in front;
    ignored for the others, whose authenticator is computed. ValueError when it would be longer than 4096 octets.
    """
    listed = [one for one in attributes if (one.vendor, one.number) != (0, MESSAGE_AUTHENTICATOR)]
    body = write_attributes(listed) + written
    if code in RANDOM_AUTHENTICATOR and not signed:
        return _assemble(code, identifier, authenticator, body)
    if code in RANDOM_AUTHENTICATOR:
        return _with_message_authenticator(code, identifier, authenticator, body, shared)
    if code != Code.ACCOUNTING_REQUEST:
        octets = _with_message_authenticator(code, identifier, NOTHING, body, shared)
    else:
        octets = _assemble(code, identifier, NOTHING, body)
    return _sign(octets, shared)


def write_reply(code: int, request: RadiusPacket, attributes: Iterable[Attribute], shared: Secret) -> bytes:
    """Return a signed reply to `request`, with a Message-Authenticator in front."""
    octets = _with_message_authenticator(
        code, request.identifier, request.authenticator, write_attributes(attributes), shared
    )
    return _sign(octets, shared)


def _assemble(code: int, identifier: int, authenticator: bytes, attributes: bytes) -> bytes:
    length = HEADER_SIZE + len(attributes)
    if length > LARGEST:
        raise ValueError(f"a RADIUS packet of {length} octets, more than {LARGEST}")
    return bytes((code, identifier)) + length.to_bytes(2) + authenticator + attributes


def _with_message_authenticator(
    code: int, identifier: int, authenticator: bytes, attributes: bytes, shared: Secret
) -> bytes:
    first = write_attributes([Attribute(MESSAGE_AUTHENTICATOR, NOTHING)])
    octets = _assemble(code, identifier, authenticator, first + attributes)
    start = HEADER_SIZE + ATTRIBUTE_HEADER
    return octets[:start] + _digest(octets, shared) + octets[start + AUTHENTICATOR_SIZE :]


def _digest(octets: bytes, shared: Secret) -> bytes:
    return hmac.digest(shared.reveal(), octets, "md5")


def _sign(octets: bytes, shared: Secret) -> bytes:
    """Put MD5(packet, secret) where the authenticator stands; what stands there before counts in the digest."""
    digest = md5(octets + shared.reveal(), usedforsecurity=False).digest()
    return octets[:4] + digest + octets[HEADER_SIZE:]


def read_reply(
    octets: bytes, request_authenticator: bytes, shared: Secret, *, require_message_authenticator: bool = True
) -> RadiusPacket | PacketFault:
    """Read what claims to be the reply to the request with that authenticator."""
    return _read_signed(octets, request_authenticator, shared, require=require_message_authenticator)


def read_request(
    octets: bytes, shared: Secret, *, require_message_authenticator: bool = True
) -> RadiusPacket | PacketFault:
    """Read a request whose authenticator is a digest: accounting, Disconnect, CoA (RFC 5176 section 2.3)."""
    return _read_signed(octets, NOTHING, shared, require=require_message_authenticator)


def _read_signed(octets: bytes, stood: bytes, shared: Secret, *, require: bool) -> RadiusPacket | PacketFault:
    """Judge a packet into whose digest `stood` went in the place of the authenticator."""
    try:
        packet = read_packet(octets)
    except MalformedError:
        return PacketFault.MALFORMED
    octets = octets[: int.from_bytes(octets[2:4])]
    unsigned = octets[:4] + stood + octets[HEADER_SIZE:]
    if not hmac.compare_digest(_sign(unsigned, shared)[4:HEADER_SIZE], packet.authenticator):
        return PacketFault.WRONG_AUTHENTICATOR
    fault = _judge_message_authenticator(unsigned, shared, require=require)
    return packet if fault is None else fault


def verify_access_request(octets: bytes, shared: Secret) -> RadiusPacket | PacketFault:
    """Read an Access-Request or Status-Server, as a server does. Its random authenticator proves nothing by itself."""
    try:
        packet = read_packet(octets)
    except MalformedError:
        return PacketFault.MALFORMED
    fault = _judge_message_authenticator(octets[: int.from_bytes(octets[2:4])], shared, require=True)
    return packet if fault is None else fault


def _judge_message_authenticator(octets: bytes, shared: Secret, *, require: bool) -> PacketFault | None:
    at = _find_message_authenticator(octets)
    if at is None:
        return PacketFault.NO_MESSAGE_AUTHENTICATOR if require else None
    start, end = at + ATTRIBUTE_HEADER, at + ATTRIBUTE_HEADER + AUTHENTICATOR_SIZE
    if octets[at + 1] != ATTRIBUTE_HEADER + AUTHENTICATOR_SIZE:
        return PacketFault.WRONG_MESSAGE_AUTHENTICATOR
    digest = _digest(octets[:start] + NOTHING + octets[end:], shared)
    return None if hmac.compare_digest(digest, octets[start:end]) else PacketFault.WRONG_MESSAGE_AUTHENTICATOR


def _find_message_authenticator(octets: bytes) -> int | None:
    """Return where it begins; the lengths were checked when the packet was read."""
    at = HEADER_SIZE
    while at < len(octets):
        if octets[at] == MESSAGE_AUTHENTICATOR:
            return at
        at += octets[at + 1]
    return None
