"""A RADIUS server that says to every login the same: what a real one says about an expired password, or a forged proof.

`python -m lab.corpus.radius_server MODE`, on the loopback's port 1812.
"""

import socket
import sys

from holdfast.radius.attributes import Attribute, attribute
from holdfast.radius.codes import Code
from holdfast.radius.packet import read_packet, write_reply
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError

ADDRESS = ("127.0.0.1", 1812)
SHARED = "corpus"
SAID: dict[str, tuple[Code, tuple[str, str]]] = {
    "expired": (Code.ACCESS_REJECT, ("MS-CHAP-Error", f"E=648 R=0 C={'0' * 32} V=3 M=Password expired")),
    "forged": (Code.ACCESS_ACCEPT, ("MS-CHAP2-Success", f"S={'0' * 40} M=Welcome")),
}
"""RFC 2548 sections 2.1.5 and 2.3.3: the text follows one octet, the identifier of the client's response."""


def reply(octets: bytes, mode: str) -> bytes:
    """Return the answer to a request. MalformedError when it is none."""
    request = read_packet(octets)
    response = request.values.octets("MS-CHAP2-Response") or b"\0"
    code, (name, text) = SAID[mode]
    said: list[Attribute] = [attribute(name, response[:1] + text.encode())]
    return write_reply(code, request, said, Secret.from_text(SHARED))


def main(mode: str) -> None:
    """Answer until killed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(ADDRESS)
        while True:
            octets, client = server.recvfrom(4096)
            try:
                server.sendto(reply(octets, mode), client)
            except MalformedError:
                continue


if __name__ == "__main__":
    main(sys.argv[1])
