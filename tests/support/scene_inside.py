"""A scene whose authentication and encryption are real, so that a password opens it."""

from pathlib import Path

from holdfast.capture.diagnosis import Diagnosis, diagnose
from holdfast.capture.inside import nt_hash_of
from holdfast.ppp.crypto import generate_authenticator_response, generate_nt_response, nt_password_hash
from holdfast.ppp.framing import Protocol
from holdfast.ppp.mppe import keys_from_ms_chap_v2
from holdfast.ppp.mppe_codec import KeyChain, MppeSender
from holdfast.secret import Secret
from support.scene import Scene

PASSWORD = b"correct horse"
CHALLENGE, PEER_CHALLENGE = b"C" * 16, b"P" * 16
FAILURE = b"E=691 R=0 C=00000000000000000000000000000000 V=3"


class InsideScene(Scene):
    """A scene with MS-CHAPv2 and MPPE-128 stateless as real peers do them."""

    senders: dict[bool, MppeSender]

    def prove(
        self, password: bytes = PASSWORD, *, server_password: bytes | None = None, accept: bool = True
    ) -> "InsideScene":
        """Authenticate alice; the server proves itself with its own idea of the password."""
        nt_hash = nt_password_hash(password)
        response = generate_nt_response(CHALLENGE, PEER_CHALLENGE, b"alice", nt_hash)
        self.ppp(False, Protocol.CHAP, 1, b"\x10" + CHALLENGE + b"server")
        self.ppp(True, Protocol.CHAP, 2, b"\x31" + PEER_CHALLENGE + bytes(8) + response + b"\0" + b"DOM\\alice")
        servers = nt_password_hash(server_password or password)
        proof = generate_authenticator_response(servers, response, PEER_CHALLENGE, CHALLENGE, b"alice")
        self.ppp(False, Protocol.CHAP, 3 if accept else 4, proof if accept else FAILURE)
        pair = keys_from_ms_chap_v2(nt_hash, response, is_server=False).direction_keys(128)
        assert pair is not None
        self.senders = {
            up: MppeSender(KeyChain(key, 128), stateless=True) for up, key in ((True, pair.send), (False, pair.receive))
        }
        return self

    def inner(self, up: bool, packet: bytes) -> "InsideScene":
        """Send an IP packet through the tunnel, encrypted."""
        self.gre(up, b"\x00\xfd" + self.senders[up].encrypt(b"\x00\x21" + packet))
        return self

    def opened(self) -> "InsideScene":
        """Bring a session up to its address."""
        self.call().lcp()
        self.prove().encrypt().address()
        return self

    def with_password(self, folder: Path, password: bytes = PASSWORD, user: str = "") -> Diagnosis:
        """Judge the capture with a password at hand."""
        path = self.write(folder)
        return diagnose([str(path)], nt_hash=nt_hash_of(Secret(password)), user=user)
