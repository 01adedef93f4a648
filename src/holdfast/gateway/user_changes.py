"""Taking changes of users over into the event log: those that a command has just made, and those made while none ran.

A note is struck out when its line is on the disk, signed. A gateway that is killed in between tells it once more at its
next start: such lines have the same `at`.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.events import AdminActed, Event
from holdfast.local_api import Handler
from holdfast.observe.event_log import EventLog
from holdfast.observe.log_file import LogFile
from holdfast.policy.store import Store
from holdfast.policy.user_changes import UserChange, UserChanges

BATCH = 500
"""Notes told between two looks at the other work of the loop."""


class UserChangeTeller:
    """Tells the log what was done to users."""

    def __init__(self, store: Store, log: EventLog, report: Callable[[Event, Mapping[str, Any]], None]) -> None:
        self._changes, self._log, self._report = UserChanges(store), log, report
        self._one_at_a_time = asyncio.Lock()

    def verbs(self) -> dict[str, Handler]:
        """Return the verb for the control socket."""
        return {"user-changed": self.user_changed}

    async def user_changed(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Take over what `holdfast user` noted in the database; answer how many changes that were."""
        return {"told": await self.tell()}

    async def tell(self) -> int:
        """Tell the log each noted change, once; return how many.

        HoldfastError when the log's file cannot be written now or the database cannot be read: the notes stay, and are
        told later.
        """
        told = 0
        async with self._one_at_a_time:
            while batch := await asyncio.to_thread(self._changes.pending, BATCH):
                for change in batch:
                    self._report(_event(change), {"user": change.user})
                try:
                    await asyncio.wrap_future(self._log.request(LogFile.sign))
                except OSError as error:
                    raise HoldfastError(f"the log cannot be written: {error.strerror or error}") from None
                await asyncio.to_thread(self._changes.done, batch[-1].number)
                told += len(batch)
        return told


def _event(change: UserChange) -> AdminActed:
    at = datetime.fromtimestamp(change.at).astimezone().isoformat(timespec="milliseconds")
    return AdminActed(change.action, change.target, change.by, at)
