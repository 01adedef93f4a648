"""MPPE packets (RFC 3078): the readable reference for the Rust core, and what the capture analyser decrypts with.

A datagram is two octets of flags and coherency count, then the encrypted PPP frame (protocol field first). Three
decisions go beyond the RFC's text; the Rust core makes the same:

- FLUSHED is also set on the "flag" packets of stateful mode, because Linux changes the receive key only when it is.
- After a lost packet in stateful mode the RFC's FLUSHED packet comes with the current key, Linux's with the next one. A
  receiver lets the decrypted octets tell; a sender answers a Reset-Request by leaping to the next flag packet,
  which both understand alike.
- In stateless mode a gap is believed only when the packet then decrypts to something, so that forged counts cannot
  move the keys.
"""

from copy import copy

from Crypto.Cipher import ARC4

from holdfast.ppp.crypto import rc4, sha1_digest
from holdfast.ppp.mppe import KEY_LENGTHS, SHA_PAD_1, SHA_PAD_2
from holdfast.secret import Secret

HEADER_SIZE = 2
FLUSHED = 0x8000
ENCRYPTED = 0x1000
COUNT_MASK = 0x0FFF
_SALTS = {40: b"\xd1\x26\x9e", 56: b"\xd1", 128: b""}
_CONTROL_PROTOCOLS = frozenset({0x8021, 0x8057, 0x80FD, 0xC021, 0xC023, 0xC223})


def get_new_key_from_sha(start_key: bytes, session_key: bytes, length: int) -> bytes:
    """Return the interim key (GetNewKeyFromSHA, RFC 3078 section 7.3)."""
    return sha1_digest(start_key[:length], SHA_PAD_1, session_key[:length], SHA_PAD_2)[:length]


class KeyChain:
    """The session keys of one direction, one after the other. `start_key` as `MppeKeyPair.direction_keys` gives it.

    ValueError when `bits` is not 40, 56 or 128, or the key does not have 8 (40 and 56 bit) or 16 octets.
    """

    __slots__ = ("_bits", "_session", "_start")

    def __init__(self, start_key: Secret, bits: int) -> None:
        length = KEY_LENGTHS.get(bits)
        if length is None or len(start_key) != length:
            raise ValueError(f"no MPPE of {bits} bits with a key of {len(start_key)} octets")
        self._bits = bits
        self._start = start_key.reveal()
        self._session = self._salted(get_new_key_from_sha(self._start, self._start, length))

    def _salted(self, key: bytes) -> bytes:
        salt = _SALTS[self._bits]
        return salt + key[len(salt) :]

    def advance(self, times: int = 1) -> None:
        """Change the key (RFC 3078 section 7.3)."""
        for _ in range(times):
            interim = get_new_key_from_sha(self._start, self._session, len(self._start))
            self._session = self._salted(rc4(interim, interim))

    def advanced(self, times: int = 1) -> "KeyChain":
        """Return a copy that is so many changes further on."""
        later = copy(self)
        later.advance(times)
        return later

    @property
    def session_key(self) -> Secret:
        """The key in use."""
        return Secret(self._session)

    def cipher(self) -> ARC4.ARC4Cipher:
        """Return RC4 keyed with the session key."""
        return ARC4.new(self._session)


class MppeSender:
    """The sending side of one direction; the first packet has coherency count 0."""

    __slots__ = ("_chain", "_cipher", "_count", "_stateless")

    def __init__(self, chain: KeyChain, *, stateless: bool) -> None:
        self._chain = chain
        self._stateless = stateless
        self._count = COUNT_MASK
        self._cipher = chain.cipher()

    def encrypt(self, frame: bytes) -> bytes:
        """Encrypt a PPP frame (protocol field first) into an MPPE datagram."""
        self._count = (self._count + 1) & COUNT_MASK
        changes_key = self._stateless or self._count & 0xFF == 0xFF
        if changes_key:
            self._chain.advance()
            self._cipher = self._chain.cipher()
        head = self._count | ENCRYPTED | (FLUSHED if changes_key else 0)
        return head.to_bytes(HEADER_SIZE, "big") + self._cipher.encrypt(frame)

    def reset(self) -> None:
        """Answer a CCP Reset-Request: let the next packet be a flag packet. Nothing to do in stateless mode."""
        if not self._stateless:
            following = (self._count + 1) & COUNT_MASK
            self._count = (following | 0xFF) - 1


class MppeReceiver:
    """The receiving side of one direction.

    `discarding` is true from a lost packet in stateful mode to the next FLUSHED one: a CCP Reset-Request is due.
    `trusted_steps`: how far a count may have moved on before the data has to prove it. A receiver trusts one step;
    who reads a capture, where packets are cut short and nobody attacks, may trust more.
    """

    __slots__ = ("_chain", "_cipher", "_count", "_stateless", "_trusted_steps", "discarding")

    def __init__(self, chain: KeyChain, *, stateless: bool, trusted_steps: int = 1) -> None:
        self._chain = chain
        self._stateless = stateless
        self._trusted_steps = trusted_steps
        self._count = COUNT_MASK
        self._cipher = chain.cipher()
        self.discarding = False

    def decrypt(self, datagram: bytes, most: int = COUNT_MASK) -> bytes | None:
        """Decrypt an MPPE datagram into a PPP frame. None when it is dropped: not encrypted, repeated, incoherent.

        `most`: how far the count can have moved since the last one, as far as the sequence numbers of GRE tell. It
        bounds the key changes that a forged count can cause in stateless mode.
        """
        if len(datagram) < HEADER_SIZE:
            return None
        head, data = int.from_bytes(datagram[:HEADER_SIZE], "big"), bytes(datagram[HEADER_SIZE:])
        steps = ((head & COUNT_MASK) - self._count) & COUNT_MASK
        if not head & ENCRYPTED or steps == 0:
            return None
        if self._stateless:
            return self._decrypt_stateless(steps, data) if steps <= most else None
        return self._decrypt_stateful(bool(head & FLUSHED), steps, data)

    def _decrypt_stateless(self, steps: int, data: bytes) -> bytes | None:
        """RFC 3078 section 8.1: as many key changes as the count moved on."""
        chain = self._chain.advanced(steps)
        if steps > self._trusted_steps and not makes_sense(chain, data):
            return None
        return self._proceed(chain, steps, data, rekeyed=True)

    def _decrypt_stateful(self, flushed: bool, steps: int, data: bytes) -> bytes | None:
        """RFC 3078 section 8.2: a gap needs a FLUSHED packet; each flag packet, also a lost one, changed the key."""
        in_step = steps == 1 and not self.discarding
        is_flag = (self._count + steps) & 0xFF == 0xFF
        changes = sum((self._count + step) & 0xFF == 0xFF for step in range(1, steps + 1))
        chain: KeyChain | None = self._chain.advanced(changes)
        if not in_step and not flushed:
            chain = None
        elif flushed and not (in_step and is_flag) and chain is not None:
            chain = _settle(chain, is_flag, data)
        if chain is None:
            self.discarding = True
            return None
        self.discarding = False
        return self._proceed(chain, steps, data, rekeyed=is_flag or flushed)

    def _proceed(self, chain: KeyChain, steps: int, data: bytes, *, rekeyed: bool) -> bytes:
        self._chain = chain
        self._count = (self._count + steps) & COUNT_MASK
        if rekeyed:
            self._cipher = chain.cipher()
        return self._cipher.decrypt(data)


def _settle(chain: KeyChain, is_flag: bool, data: bytes) -> KeyChain | None:
    """Find out whether a FLUSHED packet came with the current key (the RFC) or with the next one (Linux)."""
    if makes_sense(chain, data):
        return chain
    changed = chain.advanced()
    return changed if not is_flag and makes_sense(changed, data) else None


def makes_sense(chain: KeyChain, data: bytes) -> bool:
    """Whether `data` decrypts, with the current key, to something that looks like a PPP frame."""
    return is_sensible(chain.cipher().decrypt(data))


def is_sensible(frame: bytes) -> bool:
    """Whether octets look like a PPP frame with an IP or a control packet in it: the only integrity MPPE has."""
    size = 1 if frame[:1] and frame[0] & 1 else 2
    protocol, packet = int.from_bytes(frame[:size], "big"), frame[size:]
    if len(frame) < size or not packet:
        return False
    if protocol == 0x0021:
        return packet[0] >> 4 == 4 and 20 <= _length_at(packet, 2) <= len(packet)
    if protocol == 0x0057:
        return packet[0] >> 4 == 6 and 0 <= _length_at(packet, 4) <= len(packet) - 40
    return protocol in _CONTROL_PROTOCOLS and 4 <= _length_at(packet, 2) <= len(packet)


def _length_at(packet: bytes, offset: int) -> int:
    field = packet[offset : offset + 2]
    return int.from_bytes(field, "big") if len(field) == 2 else -1


class MppeCodec:
    """Both sides of one direction in one object: encrypts as its sender, decrypts as its receiver."""

    __slots__ = ("receiver", "sender")

    def __init__(self, start_key: Secret, bits: int, *, stateless: bool) -> None:
        self.sender = MppeSender(KeyChain(start_key, bits), stateless=stateless)
        self.receiver = MppeReceiver(KeyChain(start_key, bits), stateless=stateless)

    def encrypt(self, frame: bytes) -> bytes:
        """See `MppeSender.encrypt`."""
        return self.sender.encrypt(frame)

    def decrypt(self, datagram: bytes) -> bytes | None:
        """See `MppeReceiver.decrypt`."""
        return self.receiver.decrypt(datagram)

    def reset(self) -> None:
        """See `MppeSender.reset`."""
        self.sender.reset()
