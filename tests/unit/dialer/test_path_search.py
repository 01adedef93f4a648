"""The search for the biggest packet, in virtual time: paths of every kind, and servers that answer in their own way."""

import random

import pytest

from holdfast.dialer.path_search import FLOOR, GRAIN, PATIENCE, TRIES, PathSearch, PathSize

MRU = 1400


class Path:
    """A path and the server at its end, by what they do to an echo."""

    def __init__(
        self, carries: int, *, loss: float = 0.0, reply: int = 9999, fragments: int = 0, seed: int = 1
    ) -> None:
        self._carries, self._loss, self._reply, self._fragments = carries, loss, reply, fragments
        self._random = random.Random(seed)
        self.now = 0.0
        self.asked: list[int] = []

    def search(self, wanted: int = MRU, mru: int = MRU, *, halfway: bool = False) -> PathSize:
        machine = PathSearch(wanted, mru)
        machine.start(self.now)
        while machine.result is None:
            for probe in machine.commands():
                self.asked.append(probe.size)
                if probe.size <= self._carries and self._random.random() >= self._loss:
                    self._answer(machine, probe.identifier, probe.size)
            if halfway:
                machine = PathSearch.restore(machine.snapshot())
            if machine.deadline is not None:
                self.now = machine.deadline
                machine.handle_timer(self.now)
        return machine.result

    def _answer(self, machine: PathSearch, identifier: int, size: int) -> None:
        if self._fragments and size > self._fragments:
            machine.fragmented(self._fragments, self.now)
        machine.answered(identifier, min(size, self._reply), self.now)


def test_a_path_that_carries_it_all_is_known_after_one_round_trip() -> None:
    path = Path(9000)
    assert path.search() == PathSize(MRU)
    assert path.now == 0.0
    assert path.asked == sorted(path.asked)
    assert path.asked[0] == FLOOR
    assert path.asked[-1] == MRU


@pytest.mark.parametrize("carries", [FLOOR, FLOOR + 1, 700, 1279, 1280, 1299, 1300, 1396, 1399])
@pytest.mark.parametrize("halfway", [False, True])
def test_a_narrow_path_is_found_to_a_grain(carries: int, halfway: bool) -> None:
    path = Path(carries)
    found = path.search(halfway=halfway)
    assert carries - GRAIN < found.size <= carries
    assert (found.both_ways, found.limited) == (True, True)
    assert path.now <= 4 * TRIES * PATIENCE


@pytest.mark.parametrize("seed", range(20))
def test_chance_losses_never_promise_more_and_cost_little(seed: int) -> None:
    found = Path(1300, loss=0.2, seed=seed).search()
    assert 1200 < found.size <= 1300
    assert Path(9000, loss=0.2, seed=seed).search().size > 1300


@pytest.mark.parametrize("carries", [0, 100, FLOOR - 1])
def test_a_server_that_answers_no_big_echo_tells_nothing(carries: int) -> None:
    path = Path(carries)
    assert path.search() == PathSize(0, both_ways=False, limited=True)
    assert path.now == TRIES * PATIENCE


def test_replies_cut_to_our_mru_are_whole() -> None:
    assert Path(9000, reply=MRU).search(MRU + 4) == PathSize(MRU + 4)


def test_short_replies_tell_of_the_way_there_only() -> None:
    found = Path(1300, reply=8).search()
    assert not found.both_ways
    assert 1300 - GRAIN < found.size <= 1300


def test_fragments_on_the_way_back_count_as_too_big() -> None:
    assert Path(9000, fragments=1260).search() == PathSize(1260, fragments_back=True, limited=True)
    narrow_there = Path(1000, fragments=1260).search()
    assert 1000 - GRAIN < narrow_there.size <= 1000
    assert not narrow_there.fragments_back


def test_fragments_smaller_than_any_sense_stop_at_the_floor() -> None:
    assert Path(9000, fragments=8).search() == PathSize(FLOOR, fragments_back=True, limited=True)


def test_strange_answers_change_nothing() -> None:
    machine = PathSearch(MRU, MRU, first_identifier=250)
    machine.start(0.0)
    identifiers = [probe.identifier for probe in machine.commands()]
    assert len(set(identifiers)) == len(identifiers)
    assert max(identifiers) <= 255
    machine.answered(100, MRU, 0.1)
    assert machine.result is None
    machine.handle_timer(0.1)
    assert machine.commands() == []
    machine.answered(identifiers[-1], MRU, 0.2)
    assert machine.result == PathSize(MRU)
    assert machine.deadline is None


def test_a_small_wish_is_one_rung() -> None:
    path = Path(9000)
    assert path.search(400) == PathSize(400)
    assert path.asked == [400]
