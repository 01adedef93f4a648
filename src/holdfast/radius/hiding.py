"""Values that RADIUS hides with the shared secret: passwords (RFC 2865 section 5.2) and MPPE keys (RFC 2548)."""

from hashlib import md5

from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError

BLOCK = 16
LONGEST_PASSWORD = 128
SALT_SIZE = 2


def hide_password(password: Secret, shared: Secret, authenticator: bytes) -> bytes:
    """Return User-Password: 16 to 128 octets. ValueError for a password of more than 128 octets."""
    octets = password.reveal()
    if len(octets) > LONGEST_PASSWORD:
        raise ValueError(f"a password of more than {LONGEST_PASSWORD} octets does not fit a RADIUS packet")
    return _hide(octets + bytes(-len(octets) % BLOCK) or bytes(BLOCK), shared, authenticator)


def reveal_password(hidden: bytes, shared: Secret, authenticator: bytes) -> Secret:
    """Undo `hide_password`. MalformedError when the length cannot be."""
    return Secret(_reveal(hidden, shared, authenticator).rstrip(b"\0"))


def hide_key(key: Secret, shared: Secret, authenticator: bytes, salt: bytes) -> bytes:
    """Return MS-MPPE-Send-Key or MS-MPPE-Recv-Key (RFC 2548 sections 2.4.2, 2.4.3). `salt`: 2 octets, top bit set."""
    plain = bytes((len(key),)) + key.reveal()
    return salt + _hide(plain + bytes(-len(plain) % BLOCK), shared, authenticator + salt)


def reveal_key(data: bytes, shared: Secret, authenticator: bytes) -> Secret:
    """Return the key in MS-MPPE-Send-Key or MS-MPPE-Recv-Key. `authenticator`: that of the request.

    MalformedError when the length cannot be, which is also what a wrong shared secret looks like.
    """
    salt, hidden = data[:SALT_SIZE], data[SALT_SIZE:]
    plain = _reveal(hidden, shared, authenticator + salt)
    length = plain[0]
    if not 0 < length < len(plain):
        raise MalformedError(f"a key of {length} octets in {len(plain)}")
    return Secret(plain[1 : 1 + length])


def reveal_ms_chap_keys(data: bytes, shared: Secret, authenticator: bytes) -> tuple[Secret, Secret]:
    """Return LM-Key (8 octets) and NT-Key (16) of MS-CHAP-MPPE-Keys, hidden as passwords are (RFC 2548 2.4.1)."""
    plain = _reveal(data, shared, authenticator)
    if len(plain) < 24:
        raise MalformedError(f"MS-CHAP-MPPE-Keys of {len(plain)} octets")
    return Secret(plain[:8]), Secret(plain[8:24])


def _hide(plain: bytes, shared: Secret, first: bytes) -> bytes:
    """Chain of MD5: each block is masked by the digest of the secret and the hidden block before it."""
    hidden, previous = b"", first
    for at in range(0, len(plain), BLOCK):
        previous = _mask(plain[at : at + BLOCK], shared, previous)
        hidden += previous
    return hidden


def _reveal(hidden: bytes, shared: Secret, first: bytes) -> bytes:
    if not hidden or len(hidden) % BLOCK:
        raise MalformedError(f"a hidden value of {len(hidden)} octets, which is no number of blocks")
    plain, previous = b"", first
    for at in range(0, len(hidden), BLOCK):
        block = hidden[at : at + BLOCK]
        plain += _mask(block, shared, previous)
        previous = block
    return plain


def _mask(block: bytes, shared: Secret, previous: bytes) -> bytes:
    digest = md5(shared.reveal() + previous, usedforsecurity=False).digest()
    return bytes(left ^ right for left, right in zip(block, digest, strict=True))
