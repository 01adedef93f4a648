"""The verbs of the control socket that concern the event log: what must be done by the process that writes it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.events import AdminActed, LogExported, LogFailed, Severity
from holdfast.gateway.control_guard import role_of_caller
from holdfast.gateway.log_setup import Journal
from holdfast.local_api import Handler, caller
from holdfast.observe.log_page import read_page
from holdfast.observe.reader import Query, moment, seq_before
from holdfast.policy.access import Role
from holdfast.wire.text import composed

PATIENCE = 10.0
"""Seconds to wait for work on files before the answer is that it goes on."""


class LogApi:
    """`events`, `log-purge`, `log-forget`, `log-exported`, `log-resolved`. What reads and writes files works in a
    thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._going_on: set[asyncio.Task[dict[str, Any]]] = set()
        self._one_reader = asyncio.Lock()

    def verbs(self) -> dict[str, Handler]:
        """Return the verbs by name."""
        verbs = {"log-purge": self.purge, "log-forget": self.forget, "log-exported": self.exported}
        return {**verbs, "log-resolved": self.resolved, "events": self.events}

    async def events(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer with the lines behind number `after`, up to number `to` (0: the end), that the rest of the request
        wants: `lines`, `looked_to`, and whether there is `more`. Without `after`: between which numbers they are.

        A viewer gets no packets (debug): those are what an operator switches on. One request reads at a time.
        """
        place = self._journal.log.place
        least = Severity.DEBUG if role_of_caller() >= Role.OPERATOR else Severity.INFO
        query = _query(request, least)
        after, to = _number(request, "after", -1), _number(request, "to", 0) or self._journal.log.seq
        async with self._one_reader:
            if after < 0:
                begin = await asyncio.to_thread(seq_before, place.path, place.key, query.since)
                return {"begin": begin, "end": self._journal.log.seq}
            page = await asyncio.to_thread(read_page, place.path, place.key, query, after, to)
        lines = [line.decode("utf-8", "replace") for line in page.lines]
        return {"lines": lines, "looked_to": page.looked_to, "more": page.more}

    async def purge(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Take out what is older than it is kept; answer how many lines."""
        self._note("events purge", "event log")
        return await self._patiently(lambda: {"lines": self._journal.keeper.purge()})

    async def forget(self, request: dict[str, Any]) -> dict[str, Any]:
        """Forget the user named by `user`; answer how many lines and keys are gone."""
        user = request.get("user")
        if not isinstance(user, str) or not user:
            raise HoldfastError("name a user")
        user = composed(user)
        self._note("events forget", "one person")  # who it was is what nobody shall know

        def work() -> dict[str, Any]:
            forgotten = self._journal.keeper.forget(user)
            return {"lines": forgotten.lines, "keys": forgotten.keys}

        return await self._patiently(work)

    async def resolved(self, request: dict[str, Any]) -> dict[str, Any]:
        """Note in the log that someone asked who is behind `pseudonym`, and was told."""
        pseudonym = request.get("pseudonym")
        if not isinstance(pseudonym, str) or not pseudonym:
            raise HoldfastError("name a pseudonym")
        self._note("events who", pseudonym)
        return {}

    def _note(self, action: str, target: str) -> None:
        self._journal.log.emit(AdminActed(action, target, caller()), {})

    async def _patiently(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Answer with what `work` returns; when that takes long, that it goes on."""
        task = asyncio.create_task(asyncio.to_thread(work))
        self._going_on.add(task)
        task.add_done_callback(self._done)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        try:
            return task.result() if done else {"goes_on": True}
        except OSError as error:
            raise HoldfastError(f"the log's files cannot be changed: {error.strerror or error}") from None

    def _done(self, task: "asyncio.Task[dict[str, Any]]") -> None:
        """Nobody waits any more for what failed late: the log is told."""
        self._going_on.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._journal.log.tell(LogFailed(f"closed parts of the log: {error}", 0))

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


def _query(request: dict[str, Any], least: Severity) -> Query:
    """Read what is wanted. HoldfastError when that is no choice of lines."""
    try:
        severity = max(Severity(request.get("severity", least)), least, key=list(Severity).index)
        since, until = (_time(request.get(key, "")) for key in ("since", "until"))
        users, events = (_texts(request.get(key, [])) for key in ("users", "events"))
        (session,) = _texts([request.get("session", "")])
    except ValueError:
        raise HoldfastError("this is no choice of lines") from None
    return Query(users, session, events, severity, since, until)


def _time(text: Any) -> datetime | None:
    at = moment(text) if isinstance(text, str) and text else None
    if text and at is None:
        raise ValueError
    return at


def _texts(found: Any) -> frozenset[str]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError
    return frozenset(found)


def _number(request: dict[str, Any], key: str, otherwise: int) -> int:
    number = request.get(key, otherwise)
    if not isinstance(number, int) or not -1 <= number < 1 << 63:
        raise HoldfastError(f"{key} is the number of a line")
    return number
