"""What the commands ask of the process that writes the log."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.config import parse
from holdfast.errors import HoldfastError
from holdfast.events import AuthenticationFailed, Direction, PeerIdentified, PppPacketSeen, Severity
from holdfast.gateway import control_guard, log_api
from holdfast.gateway.log_api import LogApi
from holdfast.gateway.log_setup import Journal, open_log
from holdfast.policy.access import Role
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


async def pages(api: LogApi, **wanted) -> list[dict]:
    """Every line that is wanted, page by page."""
    span = await api.events(wanted)
    found, at, more = [], span["begin"], True
    while more:
        page = await api.events({**wanted, "after": at, "to": span["end"]})
        assert len(page["lines"]) < 600
        found += map(json.loads, page["lines"])
        at, more = page["looked_to"], page["more"]
    return found


async def test_the_log_page_by_page(journal: Journal) -> None:
    api = LogApi(journal)
    for number in range(700):
        journal.log.emit(PeerIdentified(f"fact {number}"), {"user": "bob", "session": f"5e55{number:04d}"})
    await asyncio.wrap_future(journal.log.request(lambda file: file.rotate()))
    journal.log.emit(AuthenticationFailed("pap", "bob", 0, "no"), {})
    await asyncio.wrap_future(journal.log.request(lambda file: file.flush()))
    assert [one["text"] for one in await pages(api, events=["IDENTIFICATION"])] == [
        "x",
        *(f"fact {number}" for number in range(700)),
    ]
    assert [one["event"] for one in await pages(api, severity="warning")] == ["AUTH_FAIL"]
    assert [one["text"] for one in await pages(api, session="0042")] == ["fact 42"]
    assert [one["text"] for one in await pages(api, users=["alice"])] == ["x"]
    assert await pages(api, until="2020-01-01T00:00:00+00:00") == []


async def test_packets_are_for_operators(journal: Journal) -> None:
    journal.log.threshold = Severity.DEBUG
    journal.log.emit(PppPacketSeen(Direction.RECEIVED, "LCP", "Configure-Request", 1, "mru=1400"), {})
    await asyncio.wrap_future(journal.log.request(lambda file: file.flush()))
    api = LogApi(journal)
    assert "PPP_PACKET" not in [one["event"] for one in await pages(api, severity="debug")]
    control_guard._role.set(Role.OPERATOR)
    assert "PPP_PACKET" in [one["event"] for one in await pages(api, severity="debug")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": "loud"},
        {"users": "alice"},
        {"users": [1]},
        {"session": 7},
        {"since": "soon"},
        {"until": 5},
        {"after": "x"},
        {"after": -2},
        {"after": 1 << 64},
        {"after": 0, "to": []},
    ],
)
async def test_what_is_no_choice_is_said(journal: Journal, wrong: dict) -> None:
    with pytest.raises(HoldfastError, match=r"no choice of lines|is the number of a line"):
        await LogApi(journal).events(wrong)
