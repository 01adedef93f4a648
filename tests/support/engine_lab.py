"""A packet engine in a namespace, and a far end made of a raw socket that says exactly what a test wants."""

import ctypes
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from holdfast._native import MppeCipher, gre_build, gre_parse
from holdfast.dataplane.engine import Engine
from holdfast.dataplane.interface import CallPath, LinkParameters, MppeDirection, MppeMode, Upcall, UpcallKind
from holdfast.secret import Secret
from lab.network import NAMESPACES, Namespace
from tests.support.patience import patient, until

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
OUTER, FAR_OUTER = "192.0.2.1", "192.0.2.2"
INNER, FAR_INNER, OTHER_INNER = "10.9.0.1", "10.9.0.2", "10.9.0.3"
INNER6, FAR_INNER6 = "fd00:9::1", "fd00:9::2"
CALL, FAR_CALL = 11, 22
GAP_PATIENCE = 2.0
"""Seconds in which a gap may fill: longer than the product's, for a test that puts packets on a busy machine."""
KEY_IN, KEY_OUT = bytes(range(16)), bytes(range(16, 32))
IP, IPV6, LCP = b"\x00\x21", b"\x00\x57", b"\xc0\x21"


def inside(namespace: Namespace, make: Callable[[], T]) -> T:
    """Call `make` in a namespace: what it opens stays there, the calling thread does not."""
    libc = ctypes.CDLL(None, use_errno=True)
    results: list[T] = []
    errors: list[BaseException] = []

    def enter() -> None:
        try:
            with (NAMESPACES / namespace.name).open("rb") as file:
                if libc.setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            results.append(make())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that asked
            errors.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source: str, destination: str, protocol: int, payload: bytes, *, dont_fragment: bool = False) -> bytes:
    """An IPv4 packet."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0x4000 * dont_fragment, 64, protocol, 0)
    head += socket.inet_aton(source) + socket.inet_aton(destination)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(port: int, data: bytes, source: str = FAR_INNER, destination: str = INNER) -> bytes:
    """A UDP datagram over IPv4, without checksum."""
    return ipv4(source, destination, 17, struct.pack("!HHHH", 4000, port, 8 + len(data), 0) + data)


def tcp_syn(source: str, destination: str, mss: int) -> bytes:
    """A TCP SYN with an MSS option."""
    segment = struct.pack("!HHIIBBHHHBBH", 4001, 4002, 1, 0, 0x60, 0x02, 1000, 0, 0, 2, 4, mss)
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!HH", 6, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    return ipv4(source, destination, 6, segment)


def direction(key: bytes, bits: int = 128, mode: MppeMode = MppeMode.STATELESS) -> MppeDirection:
    """One direction of encryption."""
    return MppeDirection(Secret(key[: 16 if bits == 128 else 8]), bits, mode)


def link(mtu: int = 1400) -> LinkParameters:
    """What LCP might have agreed."""
    return LinkParameters(mtu, 1500, True, True, 0x11111111, 0x22222222)


class FarEnd:
    """The other end of one call, by hand: a raw socket in its namespace. `call` is the engine's Call ID, `own` ours."""

    def __init__(self, namespace: Namespace, call: int = CALL, own: int = FAR_CALL) -> None:
        self.call, self.own = call, own
        self.raw = inside(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 47))
        self.raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)  # it hears what is for others as well
        self.sequence = 0
        self.cipher: MppeCipher | None = None
        self.opener: MppeCipher | None = None

    def close(self) -> None:
        """Close the socket."""
        self.raw.close()

    def encrypt(self, bits: int = 128, *, stateless: bool = True) -> None:
        """Encrypt from now on, with the keys that `direction(KEY_IN)` and `direction(KEY_OUT)` give the engine."""
        length = 16 if bits == 128 else 8
        self.cipher = MppeCipher(KEY_IN[:length], bits, stateless)
        self.opener = MppeCipher(KEY_OUT[:length], bits, stateless)

    def frame(self, protocol: bytes, information: bytes) -> bytes:
        """A PPP frame, encrypted where that is due."""
        if self.cipher and protocol in {IP, IPV6}:
            return b"\xff\x03\x00\xfd" + self.cipher.encrypt(protocol + information)
        return b"\xff\x03" + protocol + information

    def packet(self, frame: bytes) -> bytes:
        """The next GRE packet."""
        packet = gre_build(self.call, self.sequence & 0xFFFFFFFF, None, frame)
        self.sequence += 1
        return packet

    def put(self, packet: bytes) -> None:
        """Send octets as the payload of protocol 47."""
        self.raw.sendto(packet, (OUTER, 0))

    def send(self, protocol: bytes, information: bytes) -> None:
        """Send a frame as the next packet."""
        self.put(self.packet(self.frame(protocol, information)))

    def receive(self, seconds: float = 60.0) -> tuple[int | None, int | None, bytes]:
        """Return sequence number, acknowledgement number and payload of the next packet for our call."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and select.select([self.raw], [], [], left)[0]:
            octets = self.raw.recv(4096)
            parsed = gre_parse(octets[(octets[0] & 15) * 4 :])
            if parsed and parsed[0] == self.own:
                return parsed[1], parsed[2], parsed[3]
        raise TimeoutError("no packet came")

    def receive_frame(self, seconds: float = 60.0) -> bytes:
        """Return the next PPP frame, decrypted and with a protocol field of two octets."""
        payload = b""
        while not payload:
            payload = self.receive(seconds)[2]
        payload = payload.removeprefix(b"\xff\x03")
        if payload[:1] == b"\xfd":
            payload = b"\0" + payload
        if payload[:2] == b"\x00\xfd":
            assert self.opener
            clear = self.opener.decrypt(payload[2:])
            assert clear, "what the engine sent cannot be decrypted"
            payload = clear
        return b"\0" + payload if payload[0] & 1 else payload


class Bench:
    """An engine with one call, its device up, and the far end of that call."""

    def __init__(self, near: Namespace, far: Namespace, heartbeats: tuple[str, ...] = (), *, workers: int = 1) -> None:
        self.near = near
        self.engine = inside(near, lambda: self._engine(heartbeats, workers))
        near.ip("address", "add", f"{INNER}/24", "dev", self.engine.tun_name)
        near.ip("address", "add", f"{INNER6}/64", "dev", self.engine.tun_name, "nodad")
        near.ip("link", "set", self.engine.tun_name, "up")
        self.far = FarEnd(far)
        self.handle = self.engine.add_call(CallPath(CALL, FAR_CALL, OUTER, FAR_OUTER))
        self.sockets: list[socket.socket] = []

    @staticmethod
    def _engine(heartbeats: tuple[str, ...], workers: int) -> Engine:
        """Return an engine as it is used here."""
        return Engine(
            tun_name="hf%d", tun_mtu=1400, reorder_timeout=GAP_PATIENCE, heartbeats=heartbeats, workers=workers
        )

    def close(self) -> None:
        """Close everything."""
        for opened in self.sockets:
            opened.close()
        self.engine.close()
        self.far.close()

    def open(self, *, bits: int = 0, mode: MppeMode = MppeMode.STATELESS, mtu: int = 1400) -> None:
        """Let user packets pass, encrypted when `bits` is not 0."""
        self.engine.configure(self.handle, link(mtu))
        if bits:
            self.engine.set_mppe(self.handle, direction(KEY_IN, bits, mode), direction(KEY_OUT, bits, mode))
            self.engine.require_mppe(self.handle, True)
            self.far.encrypt(bits, stateless=mode is MppeMode.STATELESS)
        self.engine.open_network(self.handle, (FAR_INNER, FAR_INNER6))

    def udp_socket(self, family: int = socket.AF_INET) -> socket.socket:
        """A bound UDP socket on the inner side of the engine."""
        opened = inside(self.near, lambda: socket.socket(family, socket.SOCK_DGRAM))
        opened.bind((INNER if family == socket.AF_INET else INNER6, 0))
        opened.settimeout(60)
        self.sockets.append(opened)
        return opened

    def drops(self) -> dict[str, int]:
        """The drops of the call."""
        return self.engine.counters(self.handle).drops

    def upcalls(self, kind: UpcallKind, count: int, seconds: float = 3.0) -> list[Upcall]:
        """Wait for so many upcalls of a kind; others are passed over."""
        found: list[Upcall] = []
        end = time.monotonic() + patient(seconds)
        while len(found) < count:
            left = end - time.monotonic()
            assert left > 0, f"{len(found)} of {count} upcalls of kind {kind.name} came"
            select.select([self.engine], [], [], left)
            found += [upcall for upcall in self.engine.poll() if upcall.kind is kind]
        return found


def wait_until(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    """Wait until something is so."""
    until(condition, seconds, lambda: "it did not come about")


def received(opened: socket.socket, count: int) -> list[bytes]:
    """The next datagrams."""
    return [opened.recv(4096) for _ in range(count)]


def port(opened: socket.socket) -> int:
    """Where a socket listens."""
    return int(opened.getsockname()[1])


KERNELS = {"no_route", "socket_full"}


def strays(bench: Bench) -> dict[str, int]:
    """What the engine dropped in all, but for what the kernel itself sends into a new device."""
    return {cause: count for cause, count in bench.engine.totals().drops.items() if cause not in KERNELS}
