"""A packet engine without a kernel: calls, frames and keys in memory, joined back to back with another one."""

import contextlib
import os
from dataclasses import dataclass, field

from holdfast.dataplane.interface import (
    CallPath,
    Counters,
    Keepalive,
    LinkParameters,
    MppeDirection,
    Upcall,
    UpcallKind,
)


@dataclass
class FakeCall:
    """One call as the engine was told of it."""

    path: CallPath
    link: LinkParameters | None = None
    keepalive: Keepalive | None = None
    receive: MppeDirection | None = None
    transmit: MppeDirection | None = None
    mppe_required: bool = False
    addresses: tuple[str, ...] = ()
    rates: tuple[int, int] = (0, 0)
    counters: Counters = field(default_factory=Counters)


@dataclass
class FakeEngine:
    """Implements `PacketEngine`. Frames sent by one engine reach the one it is joined with, by call ID."""

    tun_name: str = "fake0"
    other: "FakeEngine | None" = None
    calls: dict[int, FakeCall] = field(default_factory=dict)
    sent: list[tuple[int, bytes]] = field(default_factory=list)
    waiting: list[Upcall] = field(default_factory=list)
    let_go_of: list[int] = field(default_factory=list)
    closed: bool = False
    drop: bool = False

    def __post_init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._next = 1

    def join(self, other: "FakeEngine") -> None:
        """Lay the wire between two engines."""
        self.other, other.other = other, self

    def fileno(self) -> int:
        return self._event

    def tell(self, upcall: Upcall) -> None:
        """Let `poll` return this."""
        self.waiting.append(upcall)
        os.eventfd_write(self._event, 1)

    def poll(self, limit: int = 256) -> list[Upcall]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event)
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        if self.waiting:
            os.eventfd_write(self._event, 1)
        return taken

    def add_call(self, path: CallPath) -> int:
        taken = {(call.path.local_call_id, call.path.peer_address) for call in self.calls.values()}
        if (path.local_call_id, path.peer_address) in taken:
            raise ValueError("taken")
        handle, self._next = self._next, self._next + 1
        self.calls[handle] = FakeCall(path)
        return handle

    def let_go(self, handles) -> None:
        self.let_go_of.extend(handles)

    def remove_call(self, handle: int) -> Counters:
        del self.calls[handle]
        return Counters(packets_in=1, bytes_in=2, packets_out=3, bytes_out=4)

    def send(self, handle: int, frame: bytes, *, whole: bool = False) -> None:
        path = self.calls[handle].path
        self.sent.append((handle, frame))
        if self.other is None or self.drop:
            return
        for peer, call in self.other.calls.items():
            if call.path.local_call_id == path.peer_call_id:
                self.other.tell(Upcall(UpcallKind.FRAME, peer, frame))

    def inject(self, handle: int, packet: bytes) -> None:
        self.sent.append((handle, packet))

    def configure(self, handle: int, link: LinkParameters) -> None:
        self.calls[handle].link = link

    def set_mppe(self, handle: int, receive: MppeDirection | None, send: MppeDirection | None) -> None:
        self.calls[handle].receive, self.calls[handle].transmit = receive, send

    def require_mppe(self, handle: int, required: bool) -> None:
        self.calls[handle].mppe_required = required

    def reset_mppe_send(self, handle: int) -> None:
        self.sent.append((handle, b"reset"))

    def open_network(self, handle: int, peer_addresses: tuple[str, ...]) -> None:
        self.calls[handle].addresses = peer_addresses

    def close_network(self, handle: int) -> None:
        self.calls[handle].addresses = ()

    def set_keepalive(self, handle: int, keepalive: Keepalive) -> None:
        self.calls[handle].keepalive = keepalive

    def set_rates(self, handle: int, up: int, down: int) -> None:
        self.calls[handle].rates = (up, down)

    def counters(self, handle: int) -> Counters:
        return self.calls[handle].counters

    def totals(self) -> Counters:
        return Counters()

    def close(self) -> None:
        self.closed = True
        os.close(self._event)
