"""MPPE keys: from credentials to the start keys of both directions (RFC 3079).

A start key is what RFC 3079 calls the master session key (SendStartKey, InitialSessionKey): it never encrypts
data, but every key of its direction grows from it (`MppeCodec` in `mppe_codec`, RFC 3078 section 7.3). 40 and 56
bit use its first 8 octets, 128 bit all 16.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from holdfast.ppp.crypto import md4, sha1_digest
from holdfast.secret import Secret

KEY_LENGTHS: dict[int, int] = {40: 8, 56: 8, 128: 16}
"""Octets of a session key by strength in bits."""

SHA_PAD_1 = bytes(40)
SHA_PAD_2 = b"\xf2" * 40
_MAGIC_1 = b"This is the MPPE Master Key"
_CLIENT_SENDS = b"On the client side, this is the send key; on the server side, it is the receive key."
_CLIENT_RECEIVES = b"On the client side, this is the receive key; on the server side, it is the send key."


class DirectionKeys(NamedTuple):
    """The start keys of both directions, as seen from this side; 8 or 16 octets each."""

    send: Secret
    receive: Secret


@dataclass(frozen=True, slots=True)
class MppeKeyPair:
    """Start-key material of both directions, as seen from this side.

    `send` and `receive` have 16 octets and serve 128 bit; 40 and 56 bit use their first 8 octets, or `short`
    (8 octets) after MS-CHAPv1, where these come from the LAN Manager hash. `short` of no octets: none was known.
    MS-MPPE-Send-Key and MS-MPPE-Recv-Key of RADIUS (RFC 2548 section 2.4) are `send` and `receive` of the gateway.
    Whoever gave the keys may say which strengths they are for (`allowed`, None: any) and that nothing passes without.
    """

    send: Secret
    receive: Secret
    short: Secret | None = None
    allowed: tuple[int, ...] | None = None
    required: bool = False

    def direction_keys(self, bits: int) -> DirectionKeys | None:
        """Return the start keys for 40, 56 or 128 bits; None when this material gives no keys of that strength."""
        if bits not in self.strengths:
            return None
        if bits == 128:
            return DirectionKeys(self.send, self.receive)
        if self.short is not None:
            return DirectionKeys(self.short, self.short)
        return DirectionKeys(Secret(self.send.reveal()[:8]), Secret(self.receive.reveal()[:8]))

    @property
    def strengths(self) -> tuple[int, ...]:
        """The strengths in bits for which there are keys, strongest first."""
        long = (128,) if len(self.send) == len(self.receive) == 16 else ()
        short = self.short is None or len(self.short) == 8
        found = (*long, 56, 40) if short else long
        return found if self.allowed is None else tuple(bits for bits in found if bits in self.allowed)

    def other_side(self) -> "MppeKeyPair":
        """Return the same keys as the peer sees them."""
        return MppeKeyPair(self.receive, self.send, self.short, self.allowed, self.required)

    def snapshot(self) -> dict[str, Any]:
        """Return the keys as plain data. Handle as a secret."""
        short = None if self.short is None else self.short.reveal()
        allowed = None if self.allowed is None else list(self.allowed)
        keys = {"send": self.send.reveal(), "receive": self.receive.reveal(), "short": short}
        return {**keys, "allowed": allowed, "required": self.required}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "MppeKeyPair":
        """Undo `snapshot`."""
        short = None if state["short"] is None else Secret(state["short"])
        allowed = None if state["allowed"] is None else tuple(state["allowed"])
        return cls(Secret(state["send"]), Secret(state["receive"]), short, allowed, state["required"])


def get_master_key(password_hash_hash: bytes, nt_response: bytes) -> bytes:
    """Return the 16-octet master key (GetMasterKey, RFC 3079 section 3.4)."""
    return sha1_digest(password_hash_hash, nt_response, _MAGIC_1)[:16]


def get_asymmetric_start_key(master_key: bytes, length: int, *, is_send: bool, is_server: bool) -> bytes:
    """Return the start key of one direction (GetAsymmetricStartKey, RFC 3079 section 3.4)."""
    magic = _CLIENT_RECEIVES if is_send == is_server else _CLIENT_SENDS
    return sha1_digest(master_key, SHA_PAD_1, magic, SHA_PAD_2)[:length]


def get_start_key(challenge: bytes, password_hash_hash: bytes) -> bytes:
    """Return the 16-octet start key of both directions after MS-CHAPv1 (Get_Start_Key, RFC 3079 section 2.4)."""
    return sha1_digest(password_hash_hash, password_hash_hash, challenge)[:16]


def keys_from_ms_chap_v2(nt_hash: bytes, nt_response: bytes, *, is_server: bool) -> MppeKeyPair:
    """Derive the keys after MS-CHAPv2. `is_server`: this side was the authenticator (RFC 3079 section 3)."""
    master = get_master_key(md4(nt_hash), nt_response)
    send = get_asymmetric_start_key(master, 16, is_send=True, is_server=is_server)
    receive = get_asymmetric_start_key(master, 16, is_send=False, is_server=is_server)
    return MppeKeyPair(Secret(send), Secret(receive))


def keys_from_ms_chap(challenge: bytes, nt_hash_hash: bytes, lm_hash: bytes | None) -> MppeKeyPair:
    """Derive the keys after MS-CHAPv1: 128 bit from the NT hash's hash and the challenge, less from the LM hash.

    RADIUS gives both in MS-CHAP-MPPE-Keys (RFC 2548 section 2.4.1). Without LM hash there is 128 bit only.
    """
    start = Secret(get_start_key(challenge, nt_hash_hash))
    return MppeKeyPair(start, start, Secret((lm_hash or b"")[:8]))
