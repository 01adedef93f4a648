"""Encryption of closed log segments: AES-256-GCM in chunks, so that a file of any size needs little memory.

`HFSEAL1\\n`, salt (16 octets), then chunks: length of the plain text (4 octets, the top bit marks the last
chunk), cipher text, tag (16 octets). The key of a file is HKDF-SHA256 (RFC 5869) of the key file and the salt; the
nonce counts the chunks; the length octets are authenticated. Chunks can be neither moved, nor left out, nor cut off.
"""

import io
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from holdfast.errors import ConfigError, DamagedError, StateError
from holdfast.policy.files import readable_by_others
from holdfast.secret import Secret

MAGIC = b"HFSEAL1\n"
CHUNK = 256 * 1024
KEY_SIZE, SALT_SIZE, TAG_SIZE, LENGTH_SIZE = 32, 16, 16, 4
_LAST = 1 << 31


def read_key_file(path: Path) -> Secret:
    """Read the key: 32 octets, or 64 hexadecimal digits. ConfigError when it is not usable."""
    make = f"Make one: (umask 077; head -c {KEY_SIZE} /dev/urandom > {path}), and keep a copy in a safe place."
    try:
        if readable_by_others(path):
            raise ConfigError("other users may read this key", where=str(path), fix=f"Run: chmod 600 {path}")
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the key cannot be read: {error.strerror}", where=str(path), fix=make) from None
    if len(octets) != KEY_SIZE:
        try:
            octets = bytes.fromhex(octets.decode("ascii"))
        except ValueError:
            octets = b""
    if len(octets) != KEY_SIZE:
        raise ConfigError(f"this is not a key of {KEY_SIZE} octets", where=str(path), fix=make)
    return Secret(octets)


def seal(pieces: Iterable[bytes], out: IO[bytes], key: Secret) -> None:
    """Write the pieces encrypted to `out`."""
    salt = secrets.token_bytes(SALT_SIZE)
    out.write(MAGIC + salt)
    file_key = _file_key(key, salt)
    for number, (chunk, last) in enumerate(_chunks(pieces)):
        head = (len(chunk) | (_LAST if last else 0)).to_bytes(LENGTH_SIZE, "big")
        cipher = AES.new(file_key, AES.MODE_GCM, nonce=number.to_bytes(12, "big"), mac_len=TAG_SIZE)
        cipher.update(head)
        text, tag = cipher.encrypt_and_digest(chunk)
        out.write(head + text + tag)


def _chunks(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream into chunks; the last, which may be empty, is marked."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > CHUNK:
            yield bytes(waiting[:CHUNK]), False
            del waiting[:CHUNK]
    yield bytes(waiting), True


def _file_key(key: Secret, salt: bytes) -> bytes:
    derived = HKDF(key.reveal(), KEY_SIZE, salt, SHA256, context=b"holdfast log segment")
    assert isinstance(derived, bytes)
    return derived


class SealedReader(io.RawIOBase):
    """Reads what `seal` wrote. StateError when the key is another one or the file was changed."""

    def __init__(self, file: IO[bytes], key: Secret, where: str) -> None:
        self._file, self._where, self._number = file, where, 0
        self._plain, self._last = b"", False
        head = file.read(len(MAGIC) + SALT_SIZE)
        if len(head) != len(MAGIC) + SALT_SIZE or not head.startswith(MAGIC):
            raise self._refusal()
        self._key = _file_key(key, head[len(MAGIC) :])

    def readable(self) -> bool:
        """Whether this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with plain octets; 0 at the end."""
        while not self._plain and not self._last:
            self._plain = self._next()
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def close(self) -> None:
        """Close the file below too."""
        self._file.close()
        super().close()

    def _next(self) -> bytes:
        head = self._file.read(LENGTH_SIZE)
        length = int.from_bytes(head, "big")
        self._last, length = bool(length & _LAST), length & ~_LAST
        if len(head) != LENGTH_SIZE or length > CHUNK:
            raise self._refusal()
        text = self._file.read(length + TAG_SIZE)
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=self._number.to_bytes(12, "big"), mac_len=TAG_SIZE)
        cipher.update(head)
        self._number += 1
        try:
            return cipher.decrypt_and_verify(text[:length], text[length:])
        except ValueError:
            raise self._refusal() from None

    def _refusal(self) -> StateError:
        if self._number > 1:
            return DamagedError("this encrypted part of the log was changed", where=self._where)
        return StateError(
            "this encrypted part of the log does not open with this key, or it was changed", where=self._where
        )
