"""A client that plays by no rules: a control connection by hand, and a raw socket for what it calls GRE. Needs root."""

import socket
import time
from collections.abc import Iterable
from typing import Self, TypeVar

from holdfast._native import gre_build
from holdfast.control.messages import ControlMessage, OutgoingCallReply
from holdfast.control.stream import MessageStream
from lab.network import Namespace
from support.control_peer import outgoing_call, start_request
from support.engine_lab import inside

M = TypeVar("M", bound=ControlMessage)
ROOM = 1 << 20


class RawClient:
    """Connects and has a call on entry. `call_id` is the gateway's."""

    def __init__(self, place: Namespace, server: str, port: int = 1723) -> None:
        self.server, self.sequence = server, 0
        self._control = inside(place, lambda: socket.create_connection((server, port), 60))
        self._raw = inside(place, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 47))
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self._raw.settimeout(30)
        self._stream = MessageStream()
        self._control.sendall(start_request().encode() + outgoing_call(77).encode())
        self.call_id = self.hear(OutgoingCallReply).call_id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._raw.close()

    def hear(self, kind: type[M], seconds: float = 60) -> M:
        """Wait for a control message of one kind."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._control.settimeout(left)
            octets = self._control.recv(4096)
            assert octets, f"the gateway closed the connection before a {kind.name} came"
            for item in self._stream.feed(octets):
                if isinstance(item, kind):
                    return item
        raise TimeoutError(kind.name)

    def closed(self, seconds: float) -> bool:
        """Wait until the gateway closes the control connection; return whether it did."""
        self._control.settimeout(seconds)
        try:
            while self._control.recv(4096):
                pass
        except TimeoutError:
            return False
        return True

    def send(self, frame: bytes) -> None:
        """Send a PPP frame as the next packet of the call."""
        self.put(gre_build(self.call_id, self.sequence & 0xFFFFFFFF, None, frame))
        self.sequence += 1

    def put(self, packet: bytes) -> None:
        """Send octets as protocol 47."""
        self._raw.sendto(packet, (self.server, 0))

    def flood(self, packets: Iterable[bytes]) -> int:
        """Send all of them as fast as it goes; return how many went out."""
        return sum(1 for packet in packets if self._went(packet))

    def heard(self) -> list[bytes]:
        """Return the payloads of protocol 47 that wait."""
        self._raw.setblocking(False)
        found = []
        try:
            while octets := self._raw.recv(65535):
                found.append(octets[(octets[0] & 15) * 4 :])
        except BlockingIOError:
            return found
        return found

    def _went(self, packet: bytes) -> bool:
        try:
            self.put(packet)
        except OSError:
            return False  # the host's own buffers are full
        return True
