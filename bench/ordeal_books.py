"""What clients had beside what FreeRADIUS wrote down: nothing may be missing, nothing may be twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any

KEY = ("Acct-Session-Id", "Acct-Status-Type", "Event-Timestamp")
"""What no two records of a gateway share."""
NOT_THE_RECORD = ("Timestamp", "Acct-Delay-Time")
"""What may differ between two copies of a record: when FreeRADIUS wrote it, and how old it was when it was sent."""
SESSION_KINDS = ("Start", "Interim-Update", "Stop")
AT_A_KILL = "NAS-Reboot"


@dataclass(frozen=True)
class Books:
    """`sessions`: what clients had (user, up, octets, doubtful, end); `rows`: radacct; `detail`: the records FreeRADIUS
    stored, in order, copies too; `up`: the sessions of which the gateway's event log says that they were up."""

    sessions: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    detail: list[dict[str, str]]
    up: list[str]


def compare(books: Books) -> list[str]:
    """Return what is wrong, a sentence each."""
    return [*_lost(books), *_doubled(books), *_unclosed(books), *_miscounted(books), *_disorder(books)]


def _lost(books: Books) -> Iterator[str]:
    accounted = {row["username"] for row in books.rows}
    known = {row["acctsessionid"] for row in books.rows}
    for session in books.sessions:
        if session["up"] and session["user"] not in accounted:
            yield f"LOST: {session['user']} had a session ({session['end']}), FreeRADIUS knows of none"
    for session_id in set(books.up) - known:
        yield f"LOST: the gateway's log says that {session_id} was up, FreeRADIUS knows nothing of it"


def _doubled(books: Books) -> Iterator[str]:
    for user, count in Counter(row["username"] for row in books.rows).items():
        if count > 1:
            yield f"DOUBLED: {user} had one session, FreeRADIUS has {count}"
    for kind in ("Start", "Stop"):
        keys = {key_of(record) for record in books.detail if record["Acct-Status-Type"] == kind}
        for session, count in Counter(key[0] for key in keys).items():
            if count > 1:
                yield f"DOUBLED: {session} has {count} records of the kind {kind}"
    strangers = {row["username"] for row in books.rows} - {session["user"] for session in books.sessions}
    for user in sorted(strangers):
        yield f"DOUBLED: FreeRADIUS has a session of {user}, who had none"


def _unclosed(books: Books) -> Iterator[str]:
    for row in books.rows:
        if not row["acctstoptime"] or not row["acctterminatecause"]:
            yield f"UNCLOSED: the session of {row['username']} has no Stop"


def _miscounted(books: Books) -> Iterator[str]:
    sessions = {session["user"]: session for session in books.sessions}
    for row in books.rows:
        session, counted = sessions.get(row["username"], {}), row["acctinputoctets"] or 0
        sent = session.get("octets", 0)
        least = 0 if row["acctterminatecause"] == AT_A_KILL else sent - session.get("doubtful", 0)
        if not least <= counted <= sent:
            how = f"{row['username']} sent {sent} octets, {counted} are accounted ({row['acctterminatecause']})"
            yield f"MISCOUNTED: {how}"


def _disorder(books: Books) -> Iterator[str]:
    """In each session copies of a record stand together and say the same; it goes from Start over updates to Stop.

    Sessions need not wait for each other.
    """
    detail = sorted(books.detail, key=lambda record: record["Acct-Session-Id"])
    runs = [(key, list(copies)) for key, copies in groupby(detail, key_of)]
    for key, count in Counter(key for key, _ in runs).items():
        if count > 1:
            yield f"DISORDER: {key} came again after later records"
    for key, copies in runs:
        if any(content_of(one) != content_of(copies[0]) for one in copies):
            yield f"DISORDER: the copies of {key} differ"
    by_session: dict[str, list[tuple[int, float]]] = {}
    for (session, kind, stamp), _ in runs:
        if kind in SESSION_KINDS:
            by_session.setdefault(session, []).append((SESSION_KINDS.index(kind), _number(stamp)))
    for session, records in by_session.items():
        kinds = [kind for kind, _ in records]
        if kinds != sorted(kinds) or kinds[0] != 0 or kinds[-1] != SESSION_KINDS.index("Stop"):
            yield f"DISORDER: {session} was told as {[SESSION_KINDS[kind] for kind in kinds]}"
        updates = [stamp for kind, stamp in records if kind == 1]
        if any(later <= earlier for earlier, later in pairwise(updates)):
            yield f"DISORDER: the updates of {session} came out of order"


def _number(stamp: str) -> float:
    """Return seconds for an Event-Timestamp, which `detail` writes as a date or as a number."""
    if stamp.isdigit():
        return float(stamp)
    return datetime.strptime(stamp.rpartition(" ")[0], "%b %d %Y %H:%M:%S").replace(tzinfo=UTC).timestamp()


def key_of(record: dict[str, str]) -> tuple[str, str, str]:
    """Return what makes a record the same to a database."""
    return record[KEY[0]], record[KEY[1]], record[KEY[2]]


def content_of(record: dict[str, str]) -> dict[str, str]:
    """Return what a record says, without what a copy may say differently."""
    return {name: value for name, value in record.items() if name not in NOT_THE_RECORD}


def summary(books: Books) -> list[str]:
    """Say in a few lines what the books hold."""
    up = sum(session["up"] for session in books.sessions)
    causes = Counter(row["acctterminatecause"] for row in books.rows)
    keys = {key_of(record) for record in books.detail}
    return [
        f"{len(books.sessions)} dials, {up} of them up for certain, {len(books.rows)} sessions in radacct",
        "ended as " + ", ".join(f"{cause}: {count}" for cause, count in causes.most_common()),
        f"{len(keys)} records; {len(books.detail) - len(keys)} copies of one that was written and not answered in time",
    ]
