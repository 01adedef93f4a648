"""What the gateway answers on its control socket."""

from datetime import UTC, datetime

import pytest

from holdfast.dataplane.interface import Counters
from holdfast.gateway.api import loss


@pytest.mark.parametrize(
    ("counters", "share"),
    [
        (Counters(), None),
        (Counters(gre_packets_in=10), 0.0),
        (Counters(gre_packets_in=75, gre_lost=25), 0.25),
        (Counters(gre_lost=3), 1.0),
    ],
)
def test_loss_is_a_share_of_what_was_due(counters: Counters, share: float | None) -> None:
    assert loss(counters) == share


@pytest.mark.asyncio
async def test_a_session_says_who_since_when_and_how_well(world, crowd) -> None:
    await crowd.up()
    world.counts(gre_packets_in=98, gre_lost=2, round_trip_time=0.02, last_user_in=world.gateway.now() - 5)
    (session,) = await world.api.sessions({})
    assert (session["user"], session["state"], session["loss"]) == ("alice", "up", 0.02)
    assert session["counters"]["round_trip_time"] == 0.02
    assert 5 <= session["idle"] < 60
    ago = datetime.now(UTC) - datetime.fromisoformat(session["last_activity"])
    assert abs(ago.total_seconds() - session["idle"]) < 10
    assert session["since"] == world.only().since.isoformat(timespec="seconds")
