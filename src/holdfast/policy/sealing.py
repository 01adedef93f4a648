"""Sealing of the secrets in the database: AES-256-GCM under a key that lies in a file of its own.

Without the key file the database gives nothing away, not even how long a password is (short of 64 octets).
What a sealed secret belongs to is authenticated with it, so that nobody who can write to the database can give
one user the password of another.
"""

import secrets
from pathlib import Path

from Crypto.Cipher import AES

from holdfast.errors import StateError
from holdfast.machine import Entropy
from holdfast.policy.files import make_private_file, readable_by_others
from holdfast.secret import Secret

KEY_FILE = "key"
KEY_SIZE = 32
NONCE_SIZE = 12
TAG_SIZE = 16
BLOCK = 64
"""Secrets are filled up to a multiple of this, which hides their length."""

_FORMAT = b"\x01"
_LENGTH_SIZE = 2


class Sealer:
    """Seals and opens secrets under one key."""

    __slots__ = ("_entropy", "_key", "_where")

    def __init__(self, key: Secret, *, where: str = "", entropy: Entropy = secrets.token_bytes) -> None:
        if len(key) != KEY_SIZE:
            raise StateError(f"the key has {len(key)} octets, not {KEY_SIZE}", where=where, fix=_RESTORE)
        self._key, self._where, self._entropy = key, where, entropy

    def seal(self, secret: Secret, owner: str) -> bytes:
        """Return the secret sealed for `owner`: format, nonce, ciphertext, tag."""
        nonce = self._entropy(NONCE_SIZE)
        octets = secret.reveal()
        plain = len(octets).to_bytes(_LENGTH_SIZE, "big") + octets
        plain += bytes(-len(plain) % BLOCK)
        cipher = AES.new(self._key.reveal(), AES.MODE_GCM, nonce=nonce, mac_len=TAG_SIZE)
        cipher.update(owner.encode())
        ciphertext, tag = cipher.encrypt_and_digest(plain)
        return _FORMAT + nonce + ciphertext + tag

    def unseal(self, sealed: bytes, owner: str) -> Secret:
        """Return what `seal` took. StateError when the key is another one or the octets were changed."""
        head = len(_FORMAT) + NONCE_SIZE
        if not sealed.startswith(_FORMAT) or len(sealed) < head + TAG_SIZE + BLOCK:
            raise self._refusal(owner)
        cipher = AES.new(self._key.reveal(), AES.MODE_GCM, nonce=sealed[len(_FORMAT) : head], mac_len=TAG_SIZE)
        cipher.update(owner.encode())
        try:
            plain = cipher.decrypt_and_verify(sealed[head:-TAG_SIZE], sealed[-TAG_SIZE:])
        except ValueError:
            raise self._refusal(owner) from None
        size = int.from_bytes(plain[:_LENGTH_SIZE], "big")
        return Secret(plain[_LENGTH_SIZE : _LENGTH_SIZE + size])

    def _refusal(self, owner: str) -> StateError:
        return StateError(
            f"the sealed secret of {owner!r} does not open with this key", where=self._where, fix=_RESTORE
        )


_RESTORE = (
    "Key and database belong together: restore both from the same backup. Without the right key the passwords in the "
    "database are lost; then remove it and add the users again."
)


def read_key(directory: Path) -> Secret | None:
    """Return the key of the state directory, None when there is none. StateError when it is not usable."""
    path = directory / KEY_FILE
    try:
        if readable_by_others(path):
            raise StateError(
                "other users may read this key",
                where=str(path),
                fix=f"Run: chmod 600 {path} and, if someone may have read it, give every user a new password.",
            )
        return Secret(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(
            f"the key cannot be read: {error.strerror}",
            where=str(path),
            fix="Run this as the user that owns the state directory, or as root.",
        ) from None


def make_key(directory: Path, entropy: Entropy) -> Secret:
    """Make the key of the state directory, or return the one that another process made meanwhile."""
    make_private_file(directory / KEY_FILE, entropy(KEY_SIZE))
    key = read_key(directory)
    if key is None:
        raise StateError("the key vanished while it was made", where=str(directory / KEY_FILE), fix="Try again.")
    return key
