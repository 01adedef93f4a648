"""Live captures: what belongs to a session, what is kept of it."""

import os
import socket
import struct

import pytest

from holdfast.errors import HostError
from holdfast.events import Direction
from holdfast.gre.codec import GrePacket, build
from holdfast.observe import recorder_live
from holdfast.observe.recorder_live import LiveCount, LiveLimits, filter_program, keep_packet, open_tap, record
from holdfast.observe.recorder_packets import GRE, Conversation, Ends
from holdfast.observe.recorder_redaction import CUT, REDACTED
from lab.network import namespace
from support.engine_lab import inside

ENDS = Ends("192.0.2.9", "192.0.2.1", local_call_id=5, peer_call_id=6)
OTHER = Ends("192.0.2.8", "192.0.2.1", local_call_id=5, peer_call_id=6)
USER = b"\x21" + b"user data" * 10
RESPONSE = b"\xc2\x23\x02\x01\x00\x1a\x10" + b"\xaa" * 16 + b"alice"


def gre(payload: bytes, ends: Ends = ENDS, call_id: int | None = None) -> bytes:
    """A packet from the client."""
    addresses = socket.inet_aton(ends.client) + socket.inet_aton(ends.server)
    body = build(GrePacket(ends.local_call_id if call_id is None else call_id, 1, None, payload))
    return Conversation._ip(GRE, addresses, body)


def test_user_packets_end_behind_their_protocol_field():
    for payload in (USER, b"\xff\x03\x00" + USER, b"\x00\xfd" + bytes(50)):
        whole = gre(payload)
        kept = keep_packet(whole, ENDS, full=False)
        assert kept is not None
        assert (kept.original, kept.comment) == (len(whole), CUT)
        assert whole.startswith(kept.octets)
        assert b"user data" not in kept.octets
        full = keep_packet(whole, ENDS, full=True)
        assert full is not None
        assert full.octets == whole


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("front", [b"", b"\xff\x03"])
def test_secrets_are_zeros_always(front, full):
    whole = gre(front + RESPONSE)
    kept = keep_packet(whole, ENDS, full=full)
    assert kept is not None
    assert kept.octets == whole.replace(b"\xaa" * 16, bytes(16))
    assert kept.comment == REDACTED


def test_acknowledgments_and_strange_frames():
    assert keep_packet(gre(b""), ENDS, full=False).octets == gre(b"")
    kept = keep_packet(gre(b"\x00\x00secret"), ENDS, full=True)
    assert b"secret" not in kept.octets


def test_other_sessions_are_left_out():
    assert keep_packet(gre(USER, call_id=7), ENDS, full=True) is None
    assert keep_packet(gre(USER, OTHER), ENDS, full=True) is None
    back = Conversation(ENDS).frame(Direction.SENT, b"\xc0\x21\x09\x01\x00\x08abcd", 10)[0]
    assert keep_packet(back, ENDS, full=False).octets == back
    assert keep_packet(back, Ends("192.0.2.9", "192.0.2.1", 6, 5), full=False) is None


def test_the_control_connection_is_kept_and_other_tcp_is_not():
    message = Conversation(ENDS).control(Direction.RECEIVED, b"hello")
    assert keep_packet(message, ENDS, full=False).octets == message
    other = message[:22] + struct.pack("!H", 80) + message[24:]
    assert keep_packet(other, ENDS, full=False) is None


@pytest.mark.parametrize("size", range(0, 44, 3))
def test_packets_cut_short_anywhere_do_no_harm(size):
    for whole in (gre(USER), Conversation(ENDS).control(Direction.RECEIVED, b"hello")):
        keep_packet(whole[:size], ENDS, full=False)
    assert keep_packet(b"\x60" + bytes(39), ENDS, full=False) is None
    assert keep_packet(b"\x41" + bytes(39), ENDS, full=False) is None


def run_filter(program: bytes, packet: bytes) -> int:
    """A classic BPF machine as far as this program needs one."""
    lines = [struct.unpack("=HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    at = accumulator = 0
    while True:
        code, true, false, value = lines[at]
        at += 1
        if code == 0x30:
            accumulator = packet[value]
        elif code == 0x20:
            accumulator = int.from_bytes(packet[value : value + 4])
        elif code == 0x54:
            accumulator &= value
        elif code == 0x15:
            at += true if accumulator == value else false
        else:
            assert code == 0x06
            return value


def test_the_kernel_passes_only_tcp_and_gre_of_the_client():
    program = filter_program("192.0.2.9")
    message = Conversation(ENDS).control(Direction.RECEIVED, b"x")
    answer = Conversation(ENDS).control(Direction.SENT, b"x")
    assert [run_filter(program, packet) for packet in (gre(USER), message, answer)] == [65535] * 3
    udp = message[:9] + b"\x11" + message[10:]
    for packet in (gre(USER, OTHER), udp, b"\x60" + message[1:]):
        assert run_filter(program, packet) == 0


class Tap:
    """A packet socket that says what it is told to."""

    def __init__(self, *packets: tuple[bytes, tuple]) -> None:
        self._packets = list(packets)

    def recvfrom(self, _size: int) -> tuple[bytes, tuple]:
        if not self._packets:
            raise TimeoutError
        return self._packets.pop(0)


def test_a_recording_ends_in_time_and_counts():
    written: list[bytes] = []
    count = LiveCount()
    tap = Tap((gre(USER), ("eth0", 0, 0)), (gre(USER, OTHER), ("eth0", 0, 0)), (gre(USER), ("lo", 0, 4)))
    record(tap, ENDS, LiveLimits(seconds=0.05), written.append, count)
    assert (count.packets, len(written), count.stopped_by_size) == (1, 2, False)
    assert written[0][:4] == b"\x0a\x0d\x0d\x0a"
    assert b"call IDs 5 and 6" in written[0]


def test_a_recording_ends_when_it_is_large():
    count = LiveCount()
    tap = Tap(*[(gre(USER), ("eth0", 0, 0))] * 50)
    record(tap, ENDS, LiveLimits(seconds=30, octets=300), lambda octets: None, count)
    assert count.stopped_by_size
    assert 300 <= count.octets < 400


def test_without_the_right_it_is_said(monkeypatch):
    def refuse(*_arguments):
        raise PermissionError

    monkeypatch.setattr(recorder_live.socket, "socket", refuse)
    with pytest.raises(HostError, match="CAP_NET_RAW"):
        open_tap("192.0.2.9")


@pytest.mark.root
def test_a_real_tap_sees_control_messages_on_loopback_once():
    assert os.geteuid() == 0
    ends = Ends("127.0.0.1", "127.0.0.1", 5, 6)
    written: list[bytes] = []

    def talk() -> None:
        with (
            socket.create_server(("127.0.0.1", 1723)) as server,
            open_tap("127.0.0.1") as tap,
            socket.create_connection(server.getsockname()) as client,
        ):
            client.sendall(b"find me")
            record(tap, ends, LiveLimits(seconds=0.5), written.append, LiveCount())

    with namespace("tap") as place:  # the loopback of this host carries what others say as well
        inside(place, talk)
    assert sum(b"find me" in block for block in written) == 1
