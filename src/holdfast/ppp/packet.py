"""The packet of every control protocol: code, identifier, length, data (RFC 1661 section 5).

Nothing here needs a machine: the capture analyser reads and describes packets with the same functions.
"""

from dataclasses import dataclass

from holdfast.ppp.authentication_text import describe_authentication
from holdfast.ppp.codes import CONFIGURE_CODES, MAGIC_CODES, Code, code_name
from holdfast.ppp.framing import Protocol, protocol_name
from holdfast.ppp.options import Option, describe_options
from holdfast.ppp.termination import terminate_cause
from holdfast.wire.errors import MalformedError
from holdfast.wire.text import printable
from holdfast.wire.tlv import read_options

HEADER_SIZE = 4
AUTHENTICATION_PROTOCOLS = frozenset({Protocol.PAP, Protocol.CHAP, Protocol.EAP})


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; `data` without padding."""

    code: int
    identifier: int
    data: bytes = b""

    def encode(self) -> bytes:
        """Return the information field of the frame."""
        return bytes((self.code, self.identifier)) + (HEADER_SIZE + len(self.data)).to_bytes(2) + self.data

    def options(self) -> list[Option]:
        """Return the options of a Configure packet. Raises MalformedError when a length in them cannot be."""
        return read_options(self.data)


def parse(information: bytes) -> Packet:
    """Read a packet; octets past its length are padding and ignored.

    Raises MalformedError for a length that is below 4 or past the end (RFC 1661 section 5: silently discarded).
    """
    if len(information) < HEADER_SIZE:
        raise MalformedError(f"{len(information)} octets, too short for a packet")
    length = int.from_bytes(information[2:4])
    if not HEADER_SIZE <= length <= len(information):
        raise MalformedError(f"length {length} in a packet of {len(information)} octets")
    return Packet(information[0], information[1], bytes(information[HEADER_SIZE:length]))


def describe(protocol: int, packet: Packet) -> str:
    """Return the contents as text for people, without anything secret; empty when there is nothing to say.

    A Configure packet reads like `mru=1400 auth=ms-chap-v2 magic=0x12345678`.
    """
    if protocol in AUTHENTICATION_PROTOCOLS:
        return describe_authentication(protocol, packet.code, packet.data)
    if packet.code in CONFIGURE_CODES:
        return _describe_configuration(protocol, packet)
    if packet.code in MAGIC_CODES:
        return _describe_maintenance(packet)
    return _describe_rest(protocol, packet)


def _describe_rest(protocol: int, packet: Packet) -> str:
    if packet.code in (Code.TERMINATE_REQUEST, Code.TERMINATE_ACK):
        return terminate_cause(packet.data).text
    if packet.code == Code.CODE_REJECT and packet.data:
        return code_name(protocol, packet.data[0])
    if packet.code == Code.PROTOCOL_REJECT and len(packet.data) >= 2:
        return protocol_name(int.from_bytes(packet.data[:2]))
    return packet.data[:64].hex()


def _describe_configuration(protocol: int, packet: Packet) -> str:
    try:
        return describe_options(protocol, packet.options())
    except MalformedError as error:
        return f"malformed: {error}"


def _describe_maintenance(packet: Packet) -> str:
    magic, rest = f"magic=0x{packet.data[:4].hex()}", packet.data[4:]
    if packet.code == Code.IDENTIFICATION:
        return f"{magic} {printable(rest)}"
    if packet.code == Code.TIME_REMAINING and len(rest) >= 4:
        return f"{magic} seconds={int.from_bytes(rest[:4])} {printable(rest[4:])}".rstrip()
    return f"{magic} {len(rest)} octets"
