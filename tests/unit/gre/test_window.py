"""Sequence numbers: order, gaps, wrap, duplicates; reordering; acknowledgments."""

import pytest

from holdfast.gre.window import (
    MEMORY,
    MODULUS,
    REACH,
    RESTART_AFTER,
    ReceiveWindow,
    Reorderer,
    SendWindow,
    Sequenced,
    Sequencing,
    ahead_of,
)

NEXT, LATE, DUPLICATE, STRAY = (Sequenced(Sequencing[name]) for name in ("NEXT", "LATE", "DUPLICATE", "STRAY"))


def ahead(missing: int) -> Sequenced:
    return Sequenced(Sequencing.AHEAD, missing)


def judged(*numbers: int) -> list[Sequenced]:
    window = ReceiveWindow()
    return [window.accept(number) for number in numbers]


@pytest.mark.parametrize(
    ("number", "reference", "distance"),
    [(1, 0, 1), (0, 1, -1), (0, MODULUS - 1, 1), (MODULUS - 1, 0, -1), (1 << 31, 0, -(1 << 31)), (5, 5, 0)],
)
def test_distance(number: int, reference: int, distance: int) -> None:
    assert ahead_of(number, reference) == distance


@pytest.mark.parametrize("start", [0, 1, 77, MODULUS - 4])
def test_order_gap_late_duplicate(start: int) -> None:
    offsets = (0, 1, 3, 2, 2, 3, 9, 8)
    verdicts = judged(*((start + offset) % MODULUS for offset in offsets))
    assert verdicts == [NEXT, NEXT, ahead(1), LATE, DUPLICATE, DUPLICATE, ahead(5), LATE]


def test_the_edge_of_memory() -> None:
    assert judged(1000, 1000 - MEMORY + 1, 1000 - MEMORY, 1000 - MEMORY + 1) == [NEXT, LATE, STRAY, DUPLICATE]


def test_memory_does_not_grow() -> None:
    window = ReceiveWindow()
    for number in range(0, 100_000, 7):
        window.accept(number)
        window.accept(number - 1)
    assert len(window._seen) <= MEMORY
    for number in range(50_000, 0, -2):
        window.accept(number)
    assert len(window._run) <= RESTART_AFTER


@pytest.mark.parametrize("forged", [11 + REACH, 2_000_000_000, MODULUS - MEMORY, 10 + (1 << 31)])
def test_a_forged_number_moves_nothing(forged: int) -> None:
    assert judged(10, forged, 11, 10 + REACH, 11) == [NEXT, STRAY, NEXT, ahead(REACH - 2), STRAY]


@pytest.mark.parametrize("start", [11, 1_000_001 + REACH, 3_000_000_000])
def test_a_steady_run_of_strays_is_believed(start: int) -> None:
    window = ReceiveWindow()
    window.accept(1_000_000)
    verdicts = [window.accept(start + index) for index in range(RESTART_AFTER + 1)]
    assert verdicts == [STRAY] * (RESTART_AFTER - 1) + [NEXT, NEXT]
    assert window.highest == start + RESTART_AFTER


def test_scattered_old_numbers_are_not_believed() -> None:
    window = ReceiveWindow()
    window.accept(1_000_000)
    assert {window.accept(number) for number in range(0, 1000, 2)} == {STRAY}
    assert window.highest == 1_000_000


class TestReorderer:
    def run(self, *numbers: int, limit: int = 4) -> tuple[list[int], Reorderer]:
        reorderer = Reorderer(limit)
        out = [payload for number in numbers for payload in reorderer.take(number, str(number).encode())]
        return [int(payload) for payload in out], reorderer

    def test_in_order(self) -> None:
        assert self.run(0, 1, 2)[0] == [0, 1, 2]

    def test_swapped(self) -> None:
        assert self.run(0, 2, 1, 3)[0] == [0, 1, 2, 3]

    def test_across_the_wrap(self) -> None:
        last = MODULUS - 1
        assert self.run(last - 1, 0, last, 1)[0] == [last - 1, last, 0, 1]

    def test_duplicates_come_out_once(self) -> None:
        assert self.run(0, 0, 2, 2, 1, 1)[0] == [0, 1, 2]

    def test_it_never_holds_more_than_its_limit(self) -> None:
        out, reorderer = self.run(0, 2, 3, 4, 5)
        assert (out, reorderer.held) == ([0], 4)
        out, reorderer = self.run(0, 2, 3, 4, 5, 6)
        assert (out, reorderer.held) == ([0, 2, 3, 4, 5, 6], 0)

    def test_giving_up(self) -> None:
        out, reorderer = self.run(0, 2, 5)
        assert out == [0]
        assert reorderer.release() == [b"2", b"5"]
        assert reorderer.take(1, b"1") == []
        assert reorderer.held == 0
        assert reorderer.take(6, b"6") == [b"6"]

    def test_a_peer_that_starts_over(self) -> None:
        out, _ = self.run(5_000_000, 5_000_002, *range(RESTART_AFTER + 2))
        assert out == [5_000_000, 5_000_002, *range(RESTART_AFTER - 1, RESTART_AFTER + 2)]


class TestSendWindow:
    def test_numbers_start_at_zero(self) -> None:
        window = SendWindow()
        assert [window.send(0.0), window.send(0.0)] == [0, 1]
        assert window.outstanding == 2

    def test_one_acknowledgment_for_several(self) -> None:
        window = SendWindow()
        for at in range(4):
            window.send(float(at))
        assert window.acknowledge(2, 10.0) == 8.0
        assert (window.acknowledged, window.outstanding) == (2, 1)

    def test_what_says_nothing(self) -> None:
        """ffffffff before anything arrived, numbers never sent, and repetitions."""
        window = SendWindow()
        assert window.acknowledge(0xFFFFFFFF, 1.0) is None
        window.send(0.0)
        for number in (0xFFFFFFFF, 1, 1 << 31):
            assert window.acknowledge(number, 1.0) is None
        assert window.acknowledged is None
        assert window.acknowledge(0, 1.0) == 1.0
        assert window.acknowledge(0, 2.0) is None
        assert window.outstanding == 0

    def test_wrap(self) -> None:
        window = SendWindow()
        window.next_number = MODULUS - 1
        window.acknowledged = MODULUS - 2
        assert [window.send(1.0), window.send(2.0)] == [MODULUS - 1, 0]
        assert window.acknowledge(0, 5.0) == 3.0
        assert window.outstanding == 0

    def test_a_peer_that_never_acknowledges_costs_little(self) -> None:
        window = SendWindow(memory=8)
        for _ in range(1000):
            window.send(0.0)
        assert len(window._sent) == 8
        assert window.outstanding == 1000
        assert window.acknowledge(10, 1.0) is None
        assert window.acknowledge(999, 1.0) == 1.0
