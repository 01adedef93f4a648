"""What the benchmark makes of the packets with which a gateway says goodbye."""

from bench.goodbyes import Goodbyes
from holdfast._native import gre_build
from holdfast.control.messages import CallDisconnectNotify, EchoRequest, StopControlConnectionRequest

IP_HEADER = b"\x45" + bytes(19)


def segment(port: int, *messages: bytes) -> bytes:
    return IP_HEADER + b"\x06\xbb" + port.to_bytes(2) + bytes(8) + b"\x50" + bytes(7) + b"".join(messages)


def test_each_client_counts_from_the_first_time_it_was_told() -> None:
    heard = Goodbyes()
    terminate = b"\xff\x03\xc0\x21\x05\x01\x00\x04"
    for at, call in ((1.0, 7), (1.5, 8), (2.0, 7)):
        heard.take_gre(at, IP_HEADER + gre_build(call, 1, None, terminate))
    heard.take_gre(9.0, IP_HEADER + gre_build(9, 1, None, b"\xff\x03\xc0\x21\x09\x01\x00\x08\0\0\0\0"))
    both = segment(40_001, CallDisconnectNotify(5, 4, 0, 0, "").encode(), StopControlConnectionRequest(3).encode())
    for at in (3.0, 4.0):
        heard.take_tcp(at, both)
    heard.take_tcp(9.0, segment(40_002, EchoRequest(1).encode()))
    heard.take_tcp(9.0, segment(40_003))
    assert heard.summary() == {"terminate": 2, "notify": 1, "stop": 1, "last": 3.0}
