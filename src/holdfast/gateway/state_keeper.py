"""Addresses and open sessions go to the state database behind the sessions' back.

The tables in memory decide; the database is for the gateway that comes next. So no client waits for a disk, nor for
another process that holds the database's lock, and a gateway that ends five thousand sessions at once writes them in
one go. A kill takes the word of what happened in its last `PAUSE` seconds along. The log goes first: a session whose
end it does not have yet is not struck out, so that whoever comes after a kill can tell its end (`leftovers.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from holdfast.errors import StateError
from holdfast.events import Event, InternalFault
from holdfast.gateway.beside import beside
from holdfast.policy.state_changes import Batch, StateChanges, write
from holdfast.policy.store import Store

PAUSE = 0.05
"""Seconds between transactions: what happens meanwhile goes into one."""
RETRY = 5.0


async def _at_once() -> None:
    """There is no log to wait for."""


@asynccontextmanager
async def kept_state(
    changes: StateChanges,
    store: Store,
    report: Callable[[Event], None],
    settled: Callable[[], Awaitable[None]] = _at_once,
) -> AsyncIterator[None]:
    """Write down what changes, until everything has ended; `settled` returns when the log has what was reported."""
    keeper = StateKeeper(changes, store, report, settled=settled)
    try:
        async with beside(keeper.run()):
            yield
    finally:
        await keeper.write()


class StateKeeper:
    """Moves changes to the database, in a thread."""

    def __init__(
        self,
        changes: StateChanges,
        store: Store,
        report: Callable[[Event], None],
        *,
        retry: float = RETRY,
        settled: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._changes, self._store, self._report, self._retry = changes, store, report, retry
        self._settled = settled
        self._wake = asyncio.Event()
        self._failed = False
        changes.wake = self._wake.set

    async def run(self) -> None:
        """Write down what changes, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if await self.write():
                await asyncio.sleep(PAUSE)
            else:
                await asyncio.sleep(self._retry)
                self._wake.set()

    async def write(self) -> bool:
        """Write down what waits; return whether that worked. The first failure in a row is told."""
        batch = self._changes.take()
        if not batch:
            return True
        writing = asyncio.ensure_future(self._write_behind_log(batch))
        try:
            await asyncio.shield(writing)
        except StateError as error:
            self._changes.give_back(batch)
            if not self._failed:
                self._report(InternalFault("state database", error.text()))
            self._failed = True
        except asyncio.CancelledError:
            await asyncio.wait({writing})  # a thread cannot be stopped, and the log takes a moment
            if writing.exception() is not None:
                self._changes.give_back(batch)
            raise
        else:
            self._failed = False
        return not self._failed

    async def _write_behind_log(self, batch: Batch) -> None:
        await self._settled()
        await asyncio.to_thread(write, self._store, batch)
