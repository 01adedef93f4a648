"""Failed logins and locks outlive the gateway: what changes is written to the state database, behind the logins' back.

A login never waits for it: a task collects changes and a thread writes them in small transactions, so that a lease
that is written meanwhile waits for one of them at most.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.errors import StateError
from holdfast.events import InternalFault
from holdfast.gateway.beside import beside
from holdfast.policy.lockout import Lockout
from holdfast.policy.lockout_changes import Kept
from holdfast.policy.lockout_records import LockoutRecords
from holdfast.policy.store import Store

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway

BATCH = 100
"""Entries of one transaction: a few milliseconds of the database's time."""
PAUSE = 0.05
"""Seconds between transactions, for others who write."""
RETRY = 5.0
LAST_BATCHES = 100
"""What is written at the end of a gateway at most: it must be down within its five seconds."""


@asynccontextmanager
async def kept_lockouts(gateway: "Gateway", store: Store) -> AsyncIterator[None]:
    """Go on with the failed logins and locks of the gateway before, and keep them for the next."""
    keeper = LockoutKeeper(gateway.logins.lockout, LockoutRecords(store), lambda event: gateway.report(event, {}))
    keeper.recall()
    try:
        async with beside(keeper.run()):
            yield
    finally:
        await keeper.finish()


class LockoutKeeper:
    """Between the tables in memory (monotonic time) and those in the database (time of day)."""

    def __init__(
        self,
        lockout: Lockout,
        records: LockoutRecords,
        report: Callable[[InternalFault], None],
        *,
        retry: float = RETRY,
    ) -> None:
        self._lockout, self._records, self._report, self._retry = lockout, records, report, retry
        self._wake = asyncio.Event()
        self._writing: list[Kept] = []
        self._failed = False
        lockout.changes.wake = self._wake.set

    def recall(self) -> None:
        """Read what is written down. A database that cannot be read is told, and the gateway starts with no locks."""
        ahead = _time_of_day_ahead()
        try:
            entries = [_moved(entry, -ahead) for entry in self._records.load()]
        except StateError as error:
            self._report(InternalFault("lockouts", error.text()))
            return
        self._lockout.restore(entries, asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Write down what changes, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._lockout.changes:
                written = await self._write()
                await asyncio.sleep(PAUSE if written else self._retry)

    async def finish(self) -> None:
        """Write down the rest."""
        self._lockout.changes.give_back(self._writing)
        for _ in range(LAST_BATCHES):
            if not self._lockout.changes or not await self._write():
                break

    async def _write(self) -> bool:
        """Write one batch; return whether that worked. The first failure in a row is told."""
        self._writing = self._lockout.changes.take(BATCH)
        ahead = _time_of_day_ahead()
        try:
            await asyncio.to_thread(self._records.write, [_moved(entry, ahead) for entry in self._writing])
        except StateError as error:
            self._lockout.changes.give_back(self._writing)
            if not self._failed:
                self._report(InternalFault("lockouts", error.text()))
            self._failed = True
        else:
            self._failed = False
        self._writing = []
        return not self._failed


def _time_of_day_ahead() -> float:
    """Return the time of day minus the loop's, in seconds."""
    return time.time() - asyncio.get_running_loop().time()


def _moved(entry: Kept, seconds: float) -> Kept:
    """Return the entry on another scale of time; no lock stays no lock."""
    until = entry.locked_until and entry.locked_until + seconds
    return replace(entry, last=entry.last + seconds, locked_until=until)
