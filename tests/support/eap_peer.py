"""The client's side of EAP for tests: EAP-TLS, PEAP and EAP-MSCHAPv2, with the TLS of Python's `ssl`.

`eap_peer(way)` is a `Peer` machine like those of the other methods; put it where `make_peer` looks:
`monkeypatch.setitem(authentication._PEERS, Method.EAP, eap_peer(way))`.
"""

import hmac
import ssl
from collections.abc import Callable
from pathlib import Path
from secrets import token_bytes
from typing import ClassVar

from holdfast.errors import DisconnectReason
from holdfast.ppp.authentication_machine import Peer
from holdfast.ppp.crypto import generate_nt_response, nt_password_hash
from holdfast.ppp.eap_types import FAILURE, REQUEST, RESPONSE, SUCCESS, EapType
from holdfast.ppp.mppe import MppeKeyPair, keys_from_ms_chap_v2
from holdfast.ppp.packet import Packet
from holdfast.secret import Secret
from support.certificates import Pair

LENGTH_INCLUDED, MORE_FRAGMENTS = 0x80, 0x40
FRAGMENT = 1000
MS_CHAP_CHALLENGE, MS_CHAP_RESPONSE = 1, 2
RESULT_TLV = 33


class MsChap:
    """EAP-MSCHAPv2 of a peer."""

    eap_type = EapType.MS_CHAP_V2

    def __init__(self, user: str, password: bytes) -> None:
        self.user, self.hash = user.encode(), nt_password_hash(password)
        self.keys: MppeKeyPair | None = None

    def answer(self, data: bytes) -> bytes:
        """Return what follows the Type in the Response."""
        if data[0] != MS_CHAP_CHALLENGE:
            return data[:1]
        challenge, ours = data[5:21], token_bytes(16)
        response = generate_nt_response(challenge, ours, self.user, self.hash)
        self.keys = keys_from_ms_chap_v2(self.hash, response, is_server=False)
        value = bytes((49,)) + ours + bytes(8) + response + b"\0"
        size = (4 + len(value) + len(self.user)).to_bytes(2)
        return bytes((MS_CHAP_RESPONSE, data[1])) + size + value + self.user


class Tls:
    """EAP-TLS of a peer (RFC 5216): fragments, the handshake, and the keys that come of it."""

    eap_type = EapType.TLS

    def __init__(self, ca: Path, own: Pair | None, keylog: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.load_verify_locations(ca)
        if own is not None:
            context.load_cert_chain(own.certificate, own.key)
        context.keylog_filename = str(keylog)
        self.keylog = keylog
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.done = False
        self.heard, self.said, self.waiting = b"", b"", b""

    def answer(self, data: bytes) -> bytes:
        """Return what follows the Type in the Response."""
        flags, rest = data[0], data[1:]
        if flags & LENGTH_INCLUDED:
            rest = rest[4:]
        self.heard += rest
        self.incoming.write(rest)
        if flags & MORE_FRAGMENTS:
            return b"\0"
        if not self.waiting:
            self.waiting = self._think()
        return self._fragment()

    def _think(self) -> bytes:
        """Go on with the handshake, then with what is inside; return TLS records."""
        if not self.done:
            try:
                self.tls.do_handshake()
                self.done = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                self.waiting = b""
        elif self.incoming.pending:
            self.inside(self.tls.read(16384))
        octets = self.outgoing.read()
        self.said += octets
        return octets

    def inside(self, octets: bytes) -> None:
        """Take what came through the tunnel."""

    def _fragment(self) -> bytes:
        piece, self.waiting = self.waiting[:FRAGMENT], self.waiting[FRAGMENT:]
        return bytes((MORE_FRAGMENTS if self.waiting else 0,)) + piece

    @property
    def keys(self) -> MppeKeyPair | None:
        """RFC 5216 section 2.3, cut to 16 octets by RFC 3079 section 4.3."""
        if not self.done:
            return None
        line = next(one for one in self.keylog.read_text().splitlines() if one.startswith("CLIENT_RANDOM"))
        master = bytes.fromhex(line.split()[2])
        randoms = self.said[11:43] + self.heard[11:43]
        digest = "sha384" if "SHA384" in (self.tls.cipher() or ("",))[0] else "sha256"
        material = _prf(master, b"client EAP encryption" + randoms, digest, 64)
        return MppeKeyPair(Secret(material[:16]), Secret(material[32:48]))


class Peap(Tls):
    """PEAP version 0 of a peer, with EAP-MSCHAPv2 inside."""

    eap_type = EapType.PEAP

    def __init__(self, ca: Path, keylog: Path, user: str, password: bytes) -> None:
        super().__init__(ca, None, keylog)
        self.inner = MsChap(user, password)

    def inside(self, octets: bytes) -> None:
        """Inner packets come without a header, but for the Result TLV at the end."""
        if len(octets) >= 11 and octets[4] == RESULT_TLV:
            self.tls.write(bytes((RESPONSE, octets[1])) + octets[2:])
        elif octets[:1] == bytes((EapType.IDENTITY,)):
            self.tls.write(bytes((EapType.IDENTITY,)) + self.inner.user)
        elif octets[:1] == bytes((EapType.MS_CHAP_V2,)):
            self.tls.write(bytes((EapType.MS_CHAP_V2,)) + self.inner.answer(octets[1:]))


Way = Callable[[str, bytes], "MsChap | Tls"]


class EapPeer(Peer):
    """Answers every Request, and hears the result. `way` makes the method for a user and a password."""

    __slots__ = ("heard", "last", "method_inside")
    way: ClassVar[Way]

    def start(self, now: float) -> None:
        """Wait to be asked."""
        self.method_inside = self.way(self.credentials.user, self.credentials.password.reveal())
        self.last: tuple[int, bytes] = (-1, b"")
        self.heard: list[bytes] = []

    def _handle(self, packet: Packet, now: float) -> None:
        self.heard.append(packet.encode())
        if packet.code == REQUEST and packet.identifier == self.last[0]:
            self._outgoing.append(self.last[1])
        elif packet.code == REQUEST:
            self.last = (packet.identifier, self._send(RESPONSE, packet.identifier, self._answer(packet.data)))
        elif packet.code == SUCCESS and self.outcome is None:
            self._succeed(self.credentials.user, self.method_inside.keys, "EAP-Success")
        elif packet.code == FAILURE and self.outcome is None:
            self._fail(self.credentials.user, 0, "EAP-Failure", DisconnectReason.AUTH_FAILED)

    def _answer(self, data: bytes) -> bytes:
        if data[0] == EapType.IDENTITY:
            return data[:1] + self.credentials.user.encode()
        if data[0] == EapType.NOTIFICATION:
            return data[:1]
        if data[0] != self.method_inside.eap_type:
            return bytes((EapType.NAK, self.method_inside.eap_type))
        return data[:1] + self.method_inside.answer(data[1:])

    def _expired(self, name: object, now: float) -> None:
        """No timers: a peer waits (RFC 3748 section 4.3)."""


def eap_peer(way: Way) -> type[EapPeer]:
    """Return the machine of a peer that goes this way."""
    return type("EapPeerOfTest", (EapPeer,), {"way": staticmethod(way), "__slots__": ()})


def _prf(secret: bytes, seed: bytes, digest: str, size: int) -> bytes:
    """The PRF of TLS 1.2 (RFC 5246 section 5)."""
    made, chained = b"", seed
    while len(made) < size:
        chained = hmac.digest(secret, chained, digest)
        made += hmac.digest(secret, chained + seed, digest)
    return made[:size]
