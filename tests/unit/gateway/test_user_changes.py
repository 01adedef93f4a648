"""Changes of users come into the log once, with their own time."""

import asyncio
import errno
import os
from datetime import datetime
from typing import Any

import pytest

from holdfast.errors import HoldfastError
from holdfast.gateway import user_changes
from holdfast.gateway.user_changes import UserChangeTeller
from holdfast.local_api import ApiServer, request
from holdfast.observe.log_file import LogFile
from holdfast.policy.user_changes import Act, UserChanges
from holdfast.policy.users import Users

pytestmark = pytest.mark.asyncio
AT = 1_772_355_761.25


def change(world: Any, action: str, at: float = AT) -> None:
    users = Users(world.store, lambda: at, act=Act(action, "uid 1000"))
    users.set_disabled("alice", action == "user disable")


@pytest.fixture
def teller(world: Any) -> UserChangeTeller:
    return UserChangeTeller(world.store, world.log, world.gateway.report)


async def test_what_was_done_while_no_gateway_ran_is_told_with_its_time(world: Any, teller: UserChangeTeller) -> None:
    change(world, "user disable")
    change(world, "user enable", AT + 1)
    assert await teller.tell() == 2
    first, second = world.named("ADMIN")
    assert (first["action"], first["target"], first["user"], first["by"]) == (
        "user disable",
        "alice",
        "alice",
        "uid 1000",
    )
    assert datetime.fromisoformat(first["at"]).timestamp() == AT
    assert second["at"] > first["at"]
    assert first["ts"] > first["at"]
    assert await teller.tell() == 0
    assert len(world.named("ADMIN")) == 2


async def test_a_command_that_has_just_changed_something_says_so(
    world: Any, teller: UserChangeTeller, tmp_path: Any
) -> None:
    server = ApiServer(tmp_path / "s", teller.verbs())
    await server.start()
    change(world, "user disable")
    answers = await asyncio.gather(*(asyncio.to_thread(request, tmp_path / "s", "user-changed") for _ in range(5)))
    await server.stop()
    assert sum(answer["told"] for answer in answers) == 1
    assert len(world.named("ADMIN")) == 1


async def test_more_than_one_batch(world: Any, teller: UserChangeTeller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_changes, "BATCH", 3)
    for number in range(8):
        change(world, "user disable", AT + number)
    assert await teller.tell() == 8
    times = [record["at"] for record in world.named("ADMIN")]
    assert times == sorted(times)
    assert len(set(times)) == 8


async def test_a_log_that_cannot_be_written_loses_no_change(
    world: Any, teller: UserChangeTeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(world, "user disable")

    def full(_file: LogFile) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(LogFile, "sign", full)
        with pytest.raises(HoldfastError, match="the log cannot be written: No space left"):
            await teller.tell()
    assert len(UserChanges(world.store).pending(10)) == 1
    assert await teller.tell() == 1
    assert UserChanges(world.store).pending(10) == []
