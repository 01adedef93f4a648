"""A thousand dialers that lose one server in the same moment: they come back spread out, and all of them."""

import random
from collections import Counter

import pytest

from holdfast.dialer.reconnect import Reconnect, ReconnectPolicy
from holdfast.errors import DisconnectReason

CROWD = 1000
POLICY = ReconnectPolicy()


def dialler(seed: int) -> Reconnect:
    """One that has been up for long and has just lost its server, at time 0."""
    machine = Reconnect(POLICY, random.Random(seed).randbytes)
    machine.start(-1000.0)
    machine.up(-1000.0)
    machine.ended(DisconnectReason.CONTROL_LOST, "the server is gone", 0.0)
    return machine


@pytest.mark.parametrize("outage", [0.5, 5.0, 20.0, 60.0, 300.0])
def test_no_second_sees_more_than_a_tenth_and_all_are_back_in_time(outage: float) -> None:
    tries: Counter[int] = Counter()
    back = []
    for seed in range(CROWD):
        machine = dialler(seed)
        while machine.deadline is not None:
            now = machine.deadline
            machine.handle_timer(now)
            tries[int(now)] += 1
            if now >= outage:
                machine.up(now)
                back.append(now - outage)
            else:
                machine.ended(DisconnectReason.NETWORK_ERROR, "no answer", now)
    assert max(tries.values()) <= CROWD / 10
    assert len(back) == CROWD
    assert max(back) <= POLICY.maximum + 30
