"""When clients are told that a gateway stops: by Terminate-Request, Call-Disconnect-Notify and Stop.

`python -m bench.goodbyes` listens where the clients are, beside them: so it hears what they are told even while they
are held still. It says `listening`, and at the end of standard input prints as JSON what came. The kernel stamps each
packet.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.stamps import Stamped
from holdfast._native import gre_parse
from holdfast.control.messages import (
    CallDisconnectNotify,
    StopControlConnectionReply,
    StopControlConnectionRequest,
)
from holdfast.control.stream import MessageStream

GRE, TCP = socket.getprotobyname("gre"), socket.IPPROTO_TCP
TERMINATE_REQUEST = b"\xff\x03\xc0\x21\x05"
"""The framing is always there in LCP, and LCP is never encrypted (RFC 1661 section 6.6)."""
KINDS = {
    CallDisconnectNotify: "notify",
    StopControlConnectionRequest: "stop",
    # To a client that was quicker, and stopped its connection when its call had ended.
    StopControlConnectionReply: "stop",
}


@dataclass(slots=True)
class Goodbyes:
    """When each client was told for the first time, in seconds since 1970: of calls and ports."""

    terminate: dict[int, float] = field(default_factory=dict)
    notify: dict[int, float] = field(default_factory=dict)
    stop: dict[int, float] = field(default_factory=dict)

    def take_gre(self, at: float, datagram: bytes, _source: object = None) -> None:
        """Look at a GRE datagram with its IP header."""
        parsed = gre_parse(_beyond_ip(datagram))
        if parsed and parsed[3].startswith(TERMINATE_REQUEST):
            self.terminate.setdefault(parsed[0], at)

    def take_tcp(self, at: float, datagram: bytes, _source: object = None) -> None:
        """Look at a TCP segment with its IP header; nothing else than whole messages travels at an end."""
        segment = _beyond_ip(datagram)
        port, payload = int.from_bytes(segment[2:4]), segment[(segment[12] >> 4) * 4 :]
        for message in MessageStream().feed(payload):
            if type(message) in KINDS:
                getattr(self, KINDS[type(message)]).setdefault(port, at)

    def summary(self) -> dict[str, float]:
        """Return how many were told what, and when the last of all was."""
        kinds = {"terminate": self.terminate, "notify": self.notify, "stop": self.stop}
        last = max((at for told in kinds.values() for at in told.values()), default=0.0)
        return {**{name: len(told) for name, told in kinds.items()}, "last": last}


def _beyond_ip(datagram: bytes) -> bytes:
    return datagram[(datagram[0] & 15) * 4 :]


class Heard:
    """What `heard_in` has heard, after its block."""

    def __init__(self) -> None:
        self.summary: dict[str, float] = {}


@contextmanager
def heard_in(namespace: str) -> Iterator[Heard]:
    """Listen in a namespace as long as the block."""
    heard = Heard()
    command = ("ip", "netns", "exec", namespace, sys.executable, "-m", "bench.goodbyes")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "listening\n"
        yield heard
        heard.summary = json.loads(process.communicate()[0])


def main() -> None:
    """Listen until the end of standard input."""
    heard = Goodbyes()
    gre = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
    tcp = socket.socket(socket.AF_INET, socket.SOCK_RAW, TCP)
    with Stamped(gre, heard.take_gre), Stamped(tcp, heard.take_tcp):
        print("listening", flush=True)
        sys.stdin.read()
        time.sleep(0.5)  # the kernel may still hold some back
    print(json.dumps(heard.summary()))


if __name__ == "__main__":
    main()
