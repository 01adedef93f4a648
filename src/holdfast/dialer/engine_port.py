"""One packet engine on the event loop: each call's upcalls go to its owner, and call IDs are not given twice.

A dialer has one tunnel on its engine; a load generator has thousands. Both use this.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from holdfast.dataplane.interface import PacketEngine, Upcall, UpcallKind

POLL_BATCH = 512
LAST_CALL_ID = 0xFFFF


class UpcallReceiver(Protocol):
    """Who owns a call."""

    def take_upcall(self, upcall: Upcall) -> None:
        """Act on what the engine tells of the call."""

    def failed(self, error: Exception) -> None:
        """A fault of ours came out of `take_upcall`: give the call up."""


class EnginePort:
    """Shares an engine between the tunnels of one event loop."""

    def __init__(
        self, engine: PacketEngine, first_call_id: int = 0, broken: Callable[[str], None] = lambda _why: None
    ) -> None:
        """`broken` hears why when the engine carries nothing any more."""
        self.engine = engine
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._owners: dict[int, UpcallReceiver] = {}
        self._taken: set[int] = set()
        self._next = first_call_id % LAST_CALL_ID
        self._loop.add_reader(engine.fileno(), self._poll)

    def close(self) -> None:
        """Stop listening to the engine; the engine itself stays open."""
        self._loop.remove_reader(self.engine.fileno())

    def take_call_id(self) -> int:
        """Return a Call ID of ours that is not in use. RuntimeError when all are."""
        for _ in range(LAST_CALL_ID):
            self._next = self._next % LAST_CALL_ID + 1
            if self._next not in self._taken:
                self._taken.add(self._next)
                return self._next
        raise RuntimeError("every Call ID is in use")

    def give_back_call_id(self, call_id: int) -> None:
        """Let a Call ID be used again."""
        self._taken.discard(call_id)

    def attach(self, handle: int, owner: UpcallReceiver) -> None:
        """Send what the engine tells of `handle` to `owner`."""
        self._owners[handle] = owner

    def detach(self, handle: int) -> None:
        """Send it nowhere any more."""
        self._owners.pop(handle, None)

    def _poll(self) -> None:
        for upcall in self.engine.poll(POLL_BATCH):
            if upcall.kind is UpcallKind.BROKEN:
                self._broken(upcall.frame.decode(errors="replace"))
            owner = self._owners.get(upcall.handle)
            if owner is None:
                continue
            try:
                owner.take_upcall(upcall)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other tunnels must go on
                owner.failed(error)
