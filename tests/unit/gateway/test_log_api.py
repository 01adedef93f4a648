"""What the commands ask of the process that writes the log."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.config import parse
from holdfast.errors import HoldfastError
from holdfast.events import PeerIdentified
from holdfast.gateway import log_api
from holdfast.gateway.log_api import LogApi
from holdfast.gateway.log_setup import Journal, open_log
from support.logs import check, records

pytestmark = pytest.mark.asyncio


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = open_log(parse("").config, tmp_path)
    journal.log.emit(PeerIdentified("x"), {"user": "alice"})
    yield journal
    journal.close()
    assert check(journal.log.place.path).whole


def acts(journal: Journal) -> list[tuple[str, str]]:
    """What the log tells of administrators."""
    journal.log.request(lambda _: None).result(5)
    told = [record for record in records(journal.log.place.path) if record.get("event") == "ADMIN"]
    return [(record["action"], record["target"]) for record in told]


async def test_noting_that_a_pseudonym_was_resolved(journal: Journal) -> None:
    resolved = LogApi(journal).verbs()["log-resolved"]
    assert await resolved({"pseudonym": "user-abc"}) == {}
    assert acts(journal) == [("events who", "user-abc")]
    for wrong in ({}, {"pseudonym": ""}, {"pseudonym": 7}):
        with pytest.raises(HoldfastError, match="name a pseudonym"):
            await resolved(wrong)


async def test_purging(journal: Journal) -> None:
    assert await LogApi(journal).verbs()["log-purge"]({}) == {"lines": 0}
    assert acts(journal) == [("events purge", "event log")]


async def test_forgetting(journal: Journal) -> None:
    api = LogApi(journal)
    assert await api.verbs()["log-forget"]({"user": "alice"}) == {"lines": 1, "keys": 0}
    assert "alice" not in str(records(journal.log.place.path))
    assert acts(journal) == [("events forget", "one person")]
    for wrong in ({}, {"user": ""}, {"user": 7}):
        with pytest.raises(HoldfastError, match="name a user"):
            await api.forget(wrong)


async def test_noting_an_export(journal: Journal) -> None:
    api = LogApi(journal)
    told = {"by": "root", "lines": 5, "digest": "00", "selection": "user=alice"}
    assert await api.verbs()["log-exported"](told) == {}
    (noted,) = [record for record in records(journal.log.place.path) if record["event"] == "LOG_EXPORTED"]
    assert {key: noted[key] for key in told} == told
    with pytest.raises(HoldfastError, match="say by whom"):
        await api.exported({"by": "root"})


async def test_what_takes_long_goes_on(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_api, "PATIENCE", 0.01)
    api, go_on = LogApi(journal), threading.Event()

    def slow() -> int:
        go_on.wait(60)
        raise OSError("disk")

    monkeypatch.setattr(journal.keeper, "purge", slow)
    assert await api.purge({}) == {"goes_on": True}
    go_on.set()
    async with asyncio.timeout(60):
        while "LOG_FAILED" not in journal.log.place.path.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_disk_that_refuses_is_said(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.keeper, "purge", broken)
    with pytest.raises(HoldfastError, match="No space left"):
        await LogApi(journal).purge({})
