"""The Rust core behind `interface.PacketEngine`: gives it the types of the interface, decides nothing."""

from collections.abc import Sequence

from holdfast import _native
from holdfast.dataplane.interface import (
    CallPath,
    Counters,
    Keepalive,
    LinkParameters,
    MppeDirection,
    MppeMode,
    Upcall,
    UpcallKind,
)

MAX_MTU = 2200
"""The largest inner packet that the engine carries; its packet buffers are a little larger."""
MAX_WORKERS = 16
"""The most threads for each direction: the kernel offers every GRE packet to each worker's socket."""

EVERYTHING = {"0.0.0.0/0": "0.0.0.0", "::/0": "::"}  # noqa: S104 - no binding; the core's word for all other addresses


class Engine:
    """One TUN device, raw sockets for protocol 47, and between them one worker or more, each with a thread a direction.

    Made in the network namespace of the calling thread; needs CAP_NET_ADMIN and CAP_NET_RAW. The device exists as long
    as the engine, is not brought up and has no addresses. Methods are documented in `interface.PacketEngine`; they
    belong to one thread. After `close` nothing but `close` may be called.
    """

    def __init__(
        self,
        *,
        tun_name: str = "holdfast%d",
        bind_addresses: tuple[str, ...] = (),
        tun_mtu: int = 1400,
        reorder_timeout: float = 0.05,
        heartbeats: tuple[str, ...] = (),
        workers: int = 1,
    ) -> None:
        """Create the device and start.

        `tun_name` may hold `%d` for the first free number. `bind_addresses` are the local IPv4 addresses to receive GRE
        for; none (or 0.0.0.0) means all. `reorder_timeout`: seconds to wait for a gap in the sequence numbers to fill.
        `heartbeats`: inner IPv4 addresses; pings to and from them are no use of a session (`last_user_in`).
        `workers`: threads for each direction; calls are spread over them by their local Call ID, and one thread alone
        has a direction of a call.
        OSError is what the kernel says; ValueError when the MTU, an address or the number of workers makes no sense.
        """
        if not 68 <= tun_mtu <= MAX_MTU:
            raise ValueError(f"MTU {tun_mtu} is not between 68 and {MAX_MTU}")
        if not 1 <= workers <= MAX_WORKERS:
            raise ValueError(f"{workers} workers are not between 1 and {MAX_WORKERS}")
        self._native = _native.PacketEngine(
            tun_name, tun_mtu, list(bind_addresses), reorder_timeout, list(heartbeats), workers
        )
        self.tun_name = self._native.tun_name

    def fileno(self) -> int:
        """Return an eventfd that is readable while `poll` has something."""
        return self._native.fileno()

    def poll(self, limit: int = 256) -> list[Upcall]:
        """Return what happened since the last call, oldest first, at most `limit` entries."""
        return [
            Upcall(UpcallKind(kind), handle, frame, value, peer)
            for kind, handle, frame, value, peer in self._native.poll(limit)
        ]

    def add_call(self, path: CallPath) -> int:
        """Make a call known and return its handle. ValueError when (local call ID, peer address) is taken."""
        return self._native.add_call(
            path.local_call_id, path.peer_call_id, path.local_address, path.peer_address, path.receive_window
        )

    def remove_call(self, handle: int) -> Counters:
        """Forget a call and its keys; return its last counts. Waits until both threads let go of it."""
        return Counters(**self._native.remove_call(handle))

    def let_go(self, handles: Sequence[int]) -> None:
        """Let the threads forget calls that are about to be removed, in one go: `remove_call` then does not wait."""
        self._native.let_go(list(handles))

    def send(self, handle: int, frame: bytes, *, whole: bool = False) -> None:
        """Send a PPP control frame (two-octet protocol field first); the engine adds `ff 03` and GRE."""
        self._native.send(handle, frame, whole)

    def inject(self, handle: int, packet: bytes) -> None:
        """Send an inner IP packet to the peer as if it had come from the TUN, encrypted where the call is."""
        self._native.inject(handle, packet)

    def configure(self, handle: int, link: LinkParameters) -> None:
        """Set what LCP agreed. Packets beyond the MRU and echoes with a strange magic number are taken all the same."""
        self._native.configure(
            handle, link.mtu, link.compress_protocol, link.omit_framing, link.local_magic, link.clamp_mss
        )

    def set_mppe(self, handle: int, receive: MppeDirection | None, send: MppeDirection | None) -> None:
        """Start (or, with None, stop) encryption per direction. Keys and counts start over."""
        self._native.set_mppe(handle, _plain(receive), _plain(send))

    def require_mppe(self, handle: int, required: bool) -> None:
        """From now on drop clear user data of this call, both ways, and count it under `clear_text`."""
        self._native.require_mppe(handle, required)

    def reset_mppe_send(self, handle: int) -> None:
        """Answer a Reset-Request: re-initialise the send side and set the FLUSHED bit on the next packet."""
        self._native.reset_mppe_send(handle)

    def open_network(self, handle: int, peer_addresses: tuple[str, ...]) -> None:
        """Let user packets of these inner addresses pass. ValueError when one belongs to another call."""
        if not peer_addresses:
            raise ValueError("a session without an address cannot pass user packets")
        self._native.set_addresses(handle, [EVERYTHING.get(address, address) for address in peer_addresses])

    def close_network(self, handle: int) -> None:
        """Stop user packets; control frames still pass."""
        self._native.set_addresses(handle, [])

    def set_keepalive(self, handle: int, keepalive: Keepalive) -> None:
        """Send, answer and time LCP echoes in the engine. Answering needs no keepalive."""
        self._native.set_keepalive(handle, keepalive.interval, keepalive.failures, keepalive.adaptive)

    def set_rates(self, handle: int, up: int, down: int) -> None:
        """Drop user packets beyond so many bits a second, from the peer and to it; 0 sets no limit."""
        self._native.set_rates(handle, up, down)

    def counters(self, handle: int) -> Counters:
        """Return the counts of one call."""
        return Counters(**self._native.counters(handle))

    def totals(self) -> Counters:
        """Return the counts of the engine, including what belongs to no call."""
        return Counters(**self._native.totals())

    def close(self) -> None:
        """Stop the threads and close the sockets and the TUN device."""
        self._native.close()


def _plain(direction: MppeDirection | None) -> tuple[bytes, int, bool] | None:
    if direction is None:
        return None
    return direction.start_key.reveal(), direction.bits, direction.mode is MppeMode.STATELESS
