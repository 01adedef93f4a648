"""The state database breaks while the gateway runs: who is on stays on, and everybody is told what is wrong."""

import asyncio

import pytest

from holdfast.errors import DisconnectReason
from holdfast.policy.store import DATABASE_FILE

pytestmark = pytest.mark.asyncio


def ruin(world) -> None:
    """Overwrite the database where it lies, with everything that was not checkpointed yet."""
    path = world.store.path
    for part in (path, path.with_name(f"{DATABASE_FILE}-wal")):
        with part.open("r+b") as file:
            file.write(b"\xa5" * part.stat().st_size)
    # What SQLite had read before would hide it for a while.
    world.store._engine.dispose()


async def test_a_ruined_database_ends_no_session_and_is_told(world, crowd):
    first = await crowd.up()
    old = world.only()
    ruin(world)
    refused = await crowd.dial()
    await crowd.until(lambda: refused.ended is not None)
    assert old.up
    (told,) = world.named("TEARDOWN")
    assert told["reason"] == "internal_error"
    assert "database is damaged" in told["evidence"]
    world.gateway.close_session(old, DisconnectReason.ADMIN, "an administrator ended the session")
    await crowd.until(lambda: not world.gateway.subscribers)
    await crowd.until(lambda: first.ended is not None)
    ends = world.named("TEARDOWN")
    assert {end["session"] for end in ends} >= {old.session.session_id}
    assert len({end["session"] for end in ends}) == len(ends)
    assert world.engine.calls == {}
    await asyncio.sleep(0)
