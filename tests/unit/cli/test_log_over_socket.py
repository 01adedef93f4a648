"""The log, asked for page by page."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import log_over_socket
from holdfast.cli.log_over_socket import LogOverSocket
from holdfast.events import PeerIdentified
from holdfast.observe.event_log import EventLog
from holdfast.observe.log_page import read_page
from holdfast.observe.reader import Query
from support.logs import write


class Gateway:
    """Answers as a gateway does, from the files of a log."""

    def __init__(self, log: Path, end: int) -> None:
        self.log, self.end = log, end
        self.asked: list[dict[str, Any]] = []

    def __call__(self, _state: Path, verb: str, **wanted: Any) -> dict[str, Any]:
        assert verb == "events"
        self.asked.append(wanted)
        if "after" not in wanted:
            return {"begin": 0, "end": self.end}
        query = Query(frozenset(wanted["users"]), events=frozenset(wanted["events"]))
        page = read_page(self.log, None, query, wanted["after"], wanted["to"] or self.end)
        return {"lines": [line.decode() for line in page.lines], "looked_to": page.looked_to, "more": page.more}


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    log = write(tmp_path, 3000)
    answering = Gateway(log, 3002)
    monkeypatch.setattr(log_over_socket, "ask", answering)
    return answering


def seqs(found) -> list[int]:
    return [record["seq"] for _, record in found]


def test_the_newest_are_looked_for_at_the_end(gateway: Gateway, tmp_path: Path) -> None:
    log = LogOverSocket(tmp_path, Query())
    assert seqs(log.last(3)) == [3000, 3001, 3002]
    assert len(gateway.asked) <= 4, "no more than the first window"


def test_they_are_looked_for_further_back_until_there_are_enough(gateway: Gateway, tmp_path: Path) -> None:
    assert seqs(LogOverSocket(tmp_path, Query()).last(2500)) == list(range(503, 3003))
    assert seqs(LogOverSocket(tmp_path, Query(events=frozenset({"LOG_OPENED"}))).last(5)) == [1]
    assert seqs(LogOverSocket(tmp_path, Query(users=frozenset({"nobody"}))).last(5)) == []


def test_everything(gateway: Gateway, tmp_path: Path) -> None:
    assert seqs(LogOverSocket(tmp_path, Query()).last(0)) == list(range(1, 3003))


def test_the_octets_are_those_of_the_log(gateway: Gateway, tmp_path: Path) -> None:
    log = LogOverSocket(tmp_path, Query())
    assert b"".join(raw for raw, _ in log.last(0)) == gateway.log.read_bytes()


def test_what_is_written_from_now_on(gateway: Gateway, tmp_path: Path) -> None:
    following = LogOverSocket(tmp_path, Query(events=frozenset({"IDENTIFICATION"}))).follow()
    log = EventLog(gateway.log)
    log.emit(PeerIdentified("now"), {})
    log.close()
    gateway.end = log.seq
    assert next(following)[1]["text"] == "now"


def test_times_go_along(gateway: Gateway, tmp_path: Path) -> None:
    LogOverSocket(tmp_path, Query(since=datetime(2026, 3, 1, tzinfo=UTC)))
    assert gateway.asked[0]["since"] == "2026-03-01T00:00:00+00:00"
    assert gateway.asked[0]["severity"] == "debug"
