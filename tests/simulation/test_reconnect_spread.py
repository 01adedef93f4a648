"""A thousand dialers lose their server in the same instant (virtual time)."""

import heapq
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from holdfast.dialer.reconnect import Phase, Reconnect, ReconnectPolicy
from holdfast.errors import DisconnectReason

DIALERS = 1000
LOST_AT = 10_000.0
TRY_FAILS_AFTER = 0.2
POLICY = ReconnectPolicy()


def dialers() -> Iterator[Reconnect]:
    """Each up for a long time, with randomness of its own."""
    for seed in range(DIALERS):
        made = Reconnect(POLICY, random.Random(seed).randbytes)
        made.start(0.0)
        made.up(1.0)
        made.commands()
        yield made


def simulate(reason: DisconnectReason, down_for: float) -> tuple[list[float], list[float]]:
    """Return when each try began and when each dialer was back, in seconds after the loss."""
    everyone = list(dialers())
    tries, back = [], []
    for dialer in everyone:
        dialer.ended(reason, "lost", LOST_AT)
    due = [(dialer.deadline or 0.0, index) for index, dialer in enumerate(everyone)]
    heapq.heapify(due)
    while due:
        now, index = heapq.heappop(due)
        dialer = everyone[index]
        dialer.handle_timer(now)
        tries.append(now - LOST_AT)
        if now >= LOST_AT + down_for:
            dialer.up(now)
            back.append(now - LOST_AT)
        else:
            dialer.ended(DisconnectReason.NETWORK_ERROR, "refused", now + TRY_FAILS_AFTER)
            assert dialer.deadline is not None
            heapq.heappush(due, (dialer.deadline, index))
    assert all(dialer.phase is Phase.UP for dialer in everyone)
    return tries, back


@pytest.mark.parametrize(
    "reason", [DisconnectReason.CONTROL_LOST, DisconnectReason.GATEWAY_SHUTDOWN, DisconnectReason.ECHO_TIMEOUT]
)
@pytest.mark.parametrize("down_for", [0.0, 3.0, 10.0, 60.0, 600.0])
def test_no_second_sees_more_than_a_tenth_and_all_come_back(reason: DisconnectReason, down_for: float) -> None:
    tries, back = simulate(reason, down_for)
    busiest = max(Counter(int(at) for at in tries).values())
    assert busiest <= len(tries) / 10
    assert len(back) == DIALERS
    assert max(back) <= down_for + POLICY.maximum + 30


def test_a_long_outage_is_not_answered_by_a_wave() -> None:
    _, back = simulate(DisconnectReason.CONTROL_LOST, 600.0)
    assert max(Counter(int(at) for at in back).values()) <= DIALERS / 10
