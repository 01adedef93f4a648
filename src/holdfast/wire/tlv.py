"""A bounded reader and writer of type-length-value lists.

One octet of type, one octet of length that counts both of them, then the value: the shape of PPP configuration
options (RFC 1661 section 6) and of RADIUS attributes (RFC 2865 section 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.wire.errors import MalformedError

HEADER_SIZE = 2
MAX_VALUE_SIZE = 255 - HEADER_SIZE


@dataclass(frozen=True, slots=True)
class Option:
    """One option or attribute: its type (0 to 255) and its value without type and length.

    Unknown types are kept as they are, so that a list is written back octet for octet.
    """

    type: int
    data: bytes = b""

    def __len__(self) -> int:
        """Return the size on the wire in octets, header included."""
        return HEADER_SIZE + len(self.data)


def read_options(data: bytes) -> list[Option]:
    """Split `data` into its options, in order, consuming all of it.

    Raises MalformedError for a length below 2, a length past the end, or a lone octet at the end.
    """
    options: list[Option] = []
    offset = 0
    while offset < len(data):
        end = _end_of_option(data, offset)
        options.append(Option(data[offset], bytes(data[offset + HEADER_SIZE : end])))
        offset = end
    return options


def write_options(options: Iterable[Option]) -> bytes:
    """Return the octets of the options. ValueError when a type is above 255 or a value above 253 octets."""
    written = bytearray()
    for option in options:
        if len(option.data) > MAX_VALUE_SIZE:
            raise ValueError(f"the value of option {option.type} has {len(option.data)} octets, above {MAX_VALUE_SIZE}")
        written += bytes((option.type, len(option)))
        written += option.data
    return bytes(written)


def _end_of_option(data: bytes, offset: int) -> int:
    if len(data) - offset < HEADER_SIZE:
        raise MalformedError(f"a lone octet at offset {offset} where an option should begin")
    length = data[offset + 1]
    if length < HEADER_SIZE:
        raise MalformedError(f"option {data[offset]} at offset {offset} has length {length}, below {HEADER_SIZE}")
    if offset + length > len(data):
        raise MalformedError(f"option {data[offset]} at offset {offset} has length {length}, past the end")
    return offset + length
