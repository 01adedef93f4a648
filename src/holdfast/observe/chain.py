"""The chain that binds the lines of the event log to each other.

Each line ends with `"seq":N,"chain":"..."}`. Its chain value is SHA-256(chain value of the line before, digest of this
line), and the digest is SHA-256 of the line's octets up to its number. So a line can be taken out for good
(retention, a person who wants to be forgotten) and leave a stub with its digest behind: the chain still fits.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

GENESIS = bytes(32)
"""What the first line of all is chained to."""

_SUFFIX = re.compile(rb',"seq":(\d{1,19}),"chain":"([0-9a-f]{64})"\}\Z')
_STUB = re.compile(rb'\{"stub":"([a-z]{1,20})","digest":"([0-9a-f]{64})"\Z')
_LONGEST_SUFFIX = 110

STUB = b'{"stub":"'
"""How a line begins that stands for one that was taken out."""


@dataclass(frozen=True, slots=True)
class Link:
    """One line taken apart. `octets` is the JSON object without its end; `stub` says why it is empty, "" if it is not.

    `fits` tells whether the line follows the one with that chain value.
    """

    seq: int
    octets: bytes
    digest: bytes
    chain: bytes
    stub: str = ""

    def fits(self, previous: bytes) -> bool:
        """Whether this line is what it was and stands behind the one with the chain value `previous`."""
        return link(previous, self.seq, self.digest) == self.chain

    @property
    def day(self) -> str:
        """The date at the beginning of the line, as YYYY-MM-DD; "" for a stub."""
        return "" if self.stub else self.octets[7:17].decode("ascii", "replace")

    def text(self) -> bytes:
        """Return the JSON object that was logged, without number and chain."""
        return self.octets + b"}"


def link(previous: bytes, seq: int, digest: bytes) -> bytes:
    """Return the chain value of line `seq`."""
    return sha256(previous + seq.to_bytes(8, "big") + digest).digest()


def compose(text: bytes, seq: int, previous: bytes) -> tuple[bytes, bytes]:
    """Return the line for a JSON object, with its newline, and its chain value."""
    octets = text[:-1]
    chain = sha256(previous + seq.to_bytes(8, "big") + sha256(octets).digest()).digest()
    return b'%b,"seq":%d,"chain":"%b"}\n' % (octets, seq, chain.hex().encode()), chain


def stub(taken: Link, why: str) -> bytes:
    """Return the line, with its newline, that stands for one that was taken out."""
    digest, chain = taken.digest.hex().encode(), taken.chain.hex().encode()
    head = b'{"stub":"%b","digest":"%b"' % (why.encode(), digest)
    return b'%b,"seq":%d,"chain":"%b"}\n' % (head, taken.seq, chain)


def seq_of(line: bytes) -> int:
    """Return the number of a line (with or without its newline) without a look at the rest; 0 for none of a chain."""
    line = line.removesuffix(b"\n")
    found = _SUFFIX.search(line, max(0, len(line) - _LONGEST_SUFFIX))
    return int(found[1]) if found else 0


def parse(line: bytes) -> Link | None:
    """Take a line apart (with or without its newline); None when it is no line of a chain."""
    line = line.removesuffix(b"\n")
    found = _SUFFIX.search(line, max(0, len(line) - _LONGEST_SUFFIX))
    if found is None or not line.startswith(b"{"):
        return None
    octets = line[: found.start()]
    seq, chain = int(found[1]), bytes.fromhex(found[2].decode())
    empty = _STUB.match(octets)
    if empty is not None:
        return Link(seq, octets, bytes.fromhex(empty[2].decode()), chain, empty[1].decode())
    return Link(seq, octets, sha256(octets).digest(), chain)
