# ruff: noqa: PYI021 - what the native module does is documented here and nowhere else
"""The Rust core: private, reached through `holdfast.dataplane.engine` and `holdfast.capture`."""

from typing import Literal, final

__version__: str

# --- data plane: small pure functions, for tests against the readable reference ----------------------------

def gre_parse(octets: bytes) -> tuple[int, int | None, int | None, bytes] | None:
    """Return (call ID, sequence number, acknowledgement number, payload) of an enhanced GRE packet (RFC 2637 4.1).

    None unless version 1, key present, protocol 0x880b, no checksum, no routing, and the payload complete. Octets
    beyond the payload length are padding. Other reserved bits are ignored.
    """

def gre_build(call_id: int, sequence: int | None, acknowledgement: int | None, payload: bytes) -> bytes:
    """Return an enhanced GRE packet. ValueError when the payload is longer than 65535 octets."""

@final
class MppeCipher:
    """Sender and receiver with the same key. `start_key` as in `interface.MppeDirection`: 8 or 16 octets."""

    def __new__(cls, start_key: bytes, bits: int, stateless: bool) -> MppeCipher: ...
    def encrypt(self, data: bytes) -> bytes:
        """Return the MPPE header (2 octets) and the encrypted `data` (which begins with a PPP protocol field)."""

    def decrypt(self, packet: bytes) -> bytes | None:
        """Return the clear data, or None when the packet must be dropped (repeated, not encrypted, out of step).

        Stateless gaps of more than 64 packets, and stateful FLUSHED packets after a gap or away from a flag packet, are
        accepted only when the clear data is an IPv4 or IPv6 packet or a known control protocol behind its
        protocol field: a forged count must not move the key chain.
        """

    def reset(self) -> None:
        """Answer a CCP Reset-Request (stateful): the count leaps to the next flag packet."""

@final
class GreWindow:
    """The receive window of one call, without the reordering buffer."""

    def __new__(cls) -> GreWindow: ...
    def accept(self, sequence: int) -> tuple[Literal["next", "ahead", "late", "duplicate", "stale"], int]:
        """Judge and remember a number. The second item counts what is missing before an `ahead` one.

        `late`: below the highest, not seen before; `stale`: 128 or more below it. Sixteen stale numbers in a row,
        each the successor of the one before, start the window over (the sixteenth is `next`).
        """

    @property
    def highest(self) -> int | None:
        """The highest number so far: what an acknowledgement says."""
