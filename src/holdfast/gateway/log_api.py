"""The verbs of the control socket that concern the event log: what must be done by the process that writes it."""

import asyncio
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.events import LogExported
from holdfast.gateway.log_setup import Journal
from holdfast.local_api import Handler


class LogApi:
    """`log-purge`, `log-forget`, `log-exported`. Each works in a thread of its own: files are read and written."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def verbs(self) -> dict[str, Handler]:
        """Return the verbs by name."""
        return {"log-purge": self.purge, "log-forget": self.forget, "log-exported": self.exported}

    async def purge(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Take out what is older than it is kept; answer how many lines."""
        return {"lines": await asyncio.to_thread(self._journal.keeper.purge)}

    async def forget(self, request: dict[str, Any]) -> dict[str, Any]:
        """Forget the user named by `user`; answer how many lines and keys are gone."""
        user = request.get("user")
        if not isinstance(user, str) or not user:
            raise HoldfastError("name a user")
        forgotten = await asyncio.to_thread(self._journal.keeper.forget, user)
        return {"lines": forgotten.lines, "keys": forgotten.keys}

    async def exported(self, request: dict[str, Any]) -> dict[str, Any]:
        """Note in the log that someone took lines out: `by`, `lines`, `digest`, `selection`."""
        try:
            event = LogExported(
                str(request["by"]), int(request["lines"]), str(request["digest"]), str(request["selection"])
            )
        except (KeyError, ValueError, TypeError):
            raise HoldfastError("say by whom, how many lines, the digest and the selection") from None
        await asyncio.to_thread(self._journal.keeper.record, event)
        return {}
