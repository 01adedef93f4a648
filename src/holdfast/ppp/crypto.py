"""MD4, DES and the hash functions of MS-CHAP, in one place.

Pure functions over octets (RFC 2433 appendix A, RFC 2759 section 8), named as the RFCs name them. hashlib usually
lacks MD4 (it sits in the legacy provider of OpenSSL 3), so MD4, DES and RC4 come from pycryptodome. Results are
plain `bytes`: the callers wrap what they keep.
"""

from hashlib import md5, sha1

from Crypto.Cipher import ARC4, DES
from Crypto.Hash import MD4

_LM_TEXT = b"KGS!@#$%"
_MAGIC_1 = b"Magic server to client signing constant"
_MAGIC_2 = b"Pad to make it do more than one iteration"
LM_PASSWORD_LIMIT = 14


def md4(data: bytes) -> bytes:
    """Return the 16-octet MD4 digest (RFC 1320)."""
    return MD4.new(data).digest()  # noqa: S303  the protocol is made of it


def sha1_digest(*parts: bytes) -> bytes:
    """Return the 20-octet SHA-1 digest of the parts in a row."""
    digest = sha1(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.digest()


def rc4(key: bytes, data: bytes) -> bytes:
    """Encrypt (or decrypt) with a freshly keyed RC4."""
    return ARC4.new(key).encrypt(data)


def parity_key(raw: bytes) -> bytes:
    """Expand a 7-octet DES key to 8 octets with odd parity (RFC 2759 section 9.3)."""
    bits = int.from_bytes(raw, "big")
    septets = ((bits >> shift) & 0x7F for shift in range(49, -1, -7))
    return bytes(septet << 1 | (septet.bit_count() + 1) % 2 for septet in septets)


def des_encrypt(clear: bytes, key: bytes) -> bytes:
    """Encrypt one 8-octet block with a 7-octet key (DesEncrypt, RFC 2759 section 8.6)."""
    return DES.new(parity_key(key), DES.MODE_ECB).encrypt(clear)  # noqa: S304  the protocol is made of it


def nt_password_hash(password: bytes) -> bytes:
    """Return the 16-octet NT hash of a UTF-8 password (NtPasswordHash, RFC 2759 section 8.3).

    Octets that are not UTF-8 are taken one character each, so that any octets can be hashed.
    """
    try:
        text = password.decode()
    except UnicodeDecodeError:
        text = password.decode("latin-1")
    return md4(text.encode("utf-16-le"))


def lm_password_hash(password: bytes) -> bytes | None:
    """Return the 16-octet LAN Manager hash (LmPasswordHash, RFC 2433 A.2).

    None for a password that has none: more than 14 OEM characters, or characters outside of code page 437.
    """
    try:
        upper = password.decode().upper().encode("cp437")
    except UnicodeError:
        return None
    if len(upper) > LM_PASSWORD_LIMIT:
        return None
    padded = upper.ljust(LM_PASSWORD_LIMIT, b"\0")
    return des_encrypt(_LM_TEXT, padded[:7]) + des_encrypt(_LM_TEXT, padded[7:])


def challenge_response(challenge: bytes, password_hash: bytes) -> bytes:
    """Encrypt an 8-octet challenge with a 16-octet hash to 24 octets (ChallengeResponse, RFC 2759 section 8.5)."""
    padded = password_hash.ljust(21, b"\0")
    return b"".join(des_encrypt(challenge, padded[start : start + 7]) for start in (0, 7, 14))


def challenge_hash(peer_challenge: bytes, authenticator_challenge: bytes, user_name: bytes) -> bytes:
    """Return the 8 octets of ChallengeHash (RFC 2759 section 8.2). `user_name` has no domain."""
    return sha1_digest(peer_challenge, authenticator_challenge, user_name)[:8]


def generate_nt_response(
    authenticator_challenge: bytes, peer_challenge: bytes, user_name: bytes, password_hash: bytes
) -> bytes:
    """Return the 24-octet NT-Response of MS-CHAPv2 (GenerateNTResponse, RFC 2759 section 8.1)."""
    challenge = challenge_hash(peer_challenge, authenticator_challenge, user_name)
    return challenge_response(challenge, password_hash)


def generate_authenticator_response(
    password_hash: bytes,
    nt_response: bytes,
    peer_challenge: bytes,
    authenticator_challenge: bytes,
    user_name: bytes,
) -> bytes:
    """Return the 42 octets `S=<40 hex digits>` (GenerateAuthenticatorResponse, RFC 2759 section 8.7)."""
    digest = sha1_digest(md4(password_hash), nt_response, _MAGIC_1)
    challenge = challenge_hash(peer_challenge, authenticator_challenge, user_name)
    final = sha1_digest(digest, challenge, _MAGIC_2)
    return b"S=" + final.hex().upper().encode()


def chap_md5_response(identifier: int, password: bytes, challenge: bytes) -> bytes:
    """Return the 16-octet CHAP response (RFC 1994 section 4.1)."""
    return md5(bytes((identifier,)) + password + challenge, usedforsecurity=False).digest()
