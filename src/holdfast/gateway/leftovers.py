"""Sessions of a gateway that was killed: the next one tells their ends, each exactly once.

Two places know of them. The state database has those that were up; its word is up to a moment old. The log is newer:
it names sessions that the database did not get to know, and those whose end was written just before the kill.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.errors import ControlEnd, DisconnectReason
from holdfast.events import CallEstablished, Event, IpOpened, SessionEnded, SessionStarted
from holdfast.observe.event_log import EventLog
from holdfast.observe.log_end import newest_records
from holdfast.policy.session_records import SessionRecord, SessionRecords
from holdfast.policy.store import Store

EVIDENCE = "the gateway was killed while this session was open; the next one found it in the "
DATABASE, LOG = "database", "log"
BEGINNINGS = frozenset({SessionStarted.name, CallEstablished.name, IpOpened.name})
PATIENCE = 5.0
"""Seconds for the log to be written; a disk that is full holds no gateway up."""

Report = Callable[[Event, Mapping[str, Any]], None]


async def report_leftovers(store: Store, log: EventLog, report: Report) -> None:
    """Tell how the sessions of a killed predecessor ended, as far as it is known, before any of our own begins."""
    records = SessionRecords(store)
    kept = records.leftovers()
    newest = await asyncio.to_thread(newest_records, log.place.path, log.place.key)
    told = {record.get("session") for record in newest if record["event"] == SessionEnded.name}
    known = {one.session for one in kept}
    for one in kept:
        if one.session not in told:
            report(_end(one, DATABASE), _context(one))
    for one in _begun(newest, named=log.options.disguise is None):
        if one.session not in told and one.session not in known:
            report(_end(one, LOG), _context(one))
    await settled(log)
    records.forget(kept)


async def settled(log: EventLog) -> None:
    """Return when what was reported before stands in the log, or has had time enough to."""
    written = asyncio.wrap_future(log.request(lambda _: None))
    await asyncio.wait({written}, timeout=PATIENCE)


def _begun(newest: list[dict[str, Any]], *, named: bool) -> list[SessionRecord]:
    """Return the sessions whose beginning stands in these lines; without users where these are pseudonyms."""
    found = {}
    for record in newest:
        if record["event"] in BEGINNINGS and (session := str(record.get("session", ""))):
            user = str(record.get("user", "")) if named else ""
            call = int(record.get("local_call_id", 0))
            found[session] = SessionRecord(session, user, call, record.get("address"), 0.0)
    return list(found.values())


def _end(left: SessionRecord, where: str) -> SessionEnded:
    reason = DisconnectReason.INTERNAL_ERROR
    return SessionEnded(reason, EVIDENCE + where, left.user, 0, 0, 0, 0, 0.0, control_end=ControlEnd.LOCAL)


def _context(left: SessionRecord) -> dict[str, Any]:
    place = {"session": left.session, "local_call_id": left.local_call_id}
    return place if left.address is None else {**place, "address": left.address}
