"""Signatures on the head of the event log: Ed25519 (RFC 8032), key in a file that nobody else may read.

Who can change the log's file but not read the key cannot make up a history: the chain could be computed anew, the
signatures could not. Keep a copy of the public key elsewhere, and send the log to another machine:
who is root here can do both.
"""

from hashlib import sha256
from pathlib import Path

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from holdfast.errors import StateError
from holdfast.observe.drafts import open_draft
from holdfast.policy.files import make_private_file, readable_by_others

KEY_FILE = "log-signing.key"
PUBLIC_FILE = "log-signing.pub"
_PURPOSE = b"holdfast event log head 1\0"


class PublicKey:
    """What an auditor needs to check signatures."""

    def __init__(self, pem: str, *, where: str = "") -> None:
        try:
            self._key = ECC.import_key(pem)
            self._verifier = eddsa.new(self._key, "rfc8032")
        except (ValueError, TypeError, IndexError):
            raise StateError(
                "this is not an Ed25519 public key", where=where, fix=f"The gateway's is {PUBLIC_FILE}."
            ) from None
        self.pem = self._key.public_key().export_key(format="PEM")
        self.fingerprint = _fingerprint(self._key)

    @classmethod
    def read(cls, path: Path) -> "PublicKey":
        """Read a PEM file. StateError when that cannot be done."""
        try:
            return cls(path.read_text(encoding="ascii"), where=str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(
                f"the public key cannot be read: {getattr(error, 'strerror', 'not text')}",
                where=str(path),
                fix="Name the file with --public-key; it lies beside the log's private key in the state directory.",
            ) from None

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the owner of the key signed this message."""
        try:
            self._verifier.verify(message, signature)
        except ValueError:
            return False
        return True


class SigningKey:
    """The key that signs. Make one with `SigningKey.open`."""

    def __init__(self, pem: str, *, where: str = "") -> None:
        self.public = PublicKey(pem, where=where)
        self._signer = eddsa.new(ECC.import_key(pem), "rfc8032")

    @classmethod
    def open(cls, directory: Path) -> "SigningKey":
        """Read the key of a state directory, or make one. StateError when others may read it, or nobody."""
        path = directory / KEY_FILE
        try:
            if not path.exists():
                fresh = ECC.generate(curve="ed25519").export_key(format="PEM")
                make_private_file(path, f"{fresh}\n".encode())
            if readable_by_others(path):
                raise StateError("other users may read this key", where=str(path), fix=f"Run: chmod 600 {path}")
            key = cls(path.read_text(encoding="ascii"), where=str(path))
            _publish(directory / PUBLIC_FILE, f"{key.public.pem}\n")
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(
                f"the key that signs the event log cannot be used: {getattr(error, 'strerror', 'not text')}",
                where=str(path),
                fix="Run this as the user that owns the state directory, or as root.",
            ) from None
        return key

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 octets."""
        return self._signer.sign(message)


def head_message(seq: int, chain: bytes) -> bytes:
    """Return what is signed for the head of a log: the number of its last line and the chain value there."""
    return _PURPOSE + seq.to_bytes(8, "big") + chain


def _fingerprint(key: ECC.EccKey) -> str:
    return sha256(key.public_key().export_key(format="raw")).hexdigest()[:16]


def _publish(path: Path, text: str) -> None:
    """Lay the public key beside the private one, where it is not there already."""
    if not path.exists() or path.read_text(encoding="ascii") != text:
        draft = path.with_name(f".{path.name}.new")
        with open_draft(draft, 0o644) as file:
            file.write(text.encode("ascii"))
        draft.replace(path)
