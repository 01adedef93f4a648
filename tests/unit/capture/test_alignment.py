import random

import pytest

from holdfast.capture.alignment import Sighting, align

SECOND = 1_000_000_000


def sightings(*, offset: float, drift: float = 0.0, way: float = 0.02, seconds: int = 120) -> list[Sighting]:
    """Frames both ways each half second, with queues of different length."""
    queue = random.Random(5)
    seen = []
    for half in range(2 * seconds):
        sent, up = half / 2, half % 2 == 0
        late = way + queue.random() * 0.03
        arrived = sent + late
        true_client, true_server = (sent, arrived) if up else (arrived, sent)
        at_server = true_server + offset + drift * true_server
        seen.append(Sighting(round(true_client * SECOND), round(at_server * SECOND), up))
    return seen


def test_nothing_in_common_aligns_nothing() -> None:
    assert align([]) is None


def test_the_offset_lies_between_both_directions() -> None:
    clocks = align(sightings(offset=-7.5))
    assert clocks is not None
    assert clocks.offset == pytest.approx(-7.5, abs=0.005)
    assert clocks.round_trip == pytest.approx(0.04, abs=0.005)
    assert clocks.drift == 0.0


@pytest.mark.parametrize("drift", [400e-6, -400e-6])
def test_a_clock_that_runs_wrong_is_seen_and_undone(drift: float) -> None:
    clocks = align(sightings(offset=3.0, drift=drift, seconds=600))
    assert clocks is not None
    assert clocks.drift == pytest.approx(drift, abs=40e-6)
    assert clocks.round_trip == pytest.approx(0.04, abs=0.02)
    late = 500 * SECOND
    assert clocks.at_server(late) / SECOND == pytest.approx(500 * (1 + drift) + 3.0, abs=0.03)
    assert clocks.at_client(round(clocks.at_server(late))) == pytest.approx(late, abs=100_000)


def test_a_queue_that_fills_is_no_slow_clock() -> None:
    seen = [
        Sighting(each.at_client, each.at_server + (each.at_client // 1000 if each.up else 0), each.up)
        for each in sightings(offset=0.0)
    ]
    clocks = align(seen)
    assert clocks is not None
    assert clocks.drift == 0.0


def test_one_direction_gives_an_offset_and_no_way() -> None:
    clocks = align([each for each in sightings(offset=1.0) if each.up])
    assert clocks is not None
    assert clocks.round_trip is None
    assert clocks.offset == pytest.approx(1.02, abs=0.005)
