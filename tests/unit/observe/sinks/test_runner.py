"""The thread that feeds a sink."""

import threading
from collections.abc import Sequence

from holdfast.events import Event, SinkFailed, SinkRecovered
from holdfast.observe.sinks.runner import RefusedError, SinkRunner
from unit.observe.sinks.receivers import until


class Fake:
    """A sink that does what it is told."""

    name = "fake"

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.trouble: list[Exception] = []
        self.hang = threading.Event()
        self.hang.set()
        self.closed = 0

    def send(self, lines: Sequence[bytes]) -> None:
        self.hang.wait()
        if self.trouble:
            raise self.trouble.pop(0)
        self.got += lines

    def close(self) -> None:
        self.closed += 1


def runner(sink: Fake, **options) -> tuple[SinkRunner, list[Event]]:
    told: list[Event] = []
    return SinkRunner(sink, told.append, first_retry=0.01, **options), told


def numbered(count: int) -> list[bytes]:
    return [b"%d\n" % number for number in range(count)]


def test_lines_arrive_in_order() -> None:
    sink = Fake()
    feeder, told = runner(sink)
    feeder.offer(numbered(1200))
    feeder.close()
    assert sink.got == numbered(1200)
    assert told == []
    assert sink.closed == 1


def test_trouble_loses_nothing_and_is_told_once() -> None:
    sink = Fake()
    sink.trouble = [OSError("gone"), OSError("still gone"), OSError("still")]
    feeder, told = runner(sink)
    feeder.offer(numbered(10))
    until(lambda: len(told) == 2)
    feeder.close()
    assert sink.got == numbered(10)
    assert told[0] == SinkFailed("fake", "gone")
    assert isinstance(told[1], SinkRecovered)
    assert told[1].lost == 0


def test_what_does_not_fit_the_spool_is_counted() -> None:
    sink = Fake()
    sink.hang.clear()
    feeder, told = runner(sink, spool=100)
    feeder.offer(numbered(150))
    feeder.offer(numbered(10))
    assert feeder.waiting == 100
    sink.hang.set()
    until(lambda: bool(told))
    feeder.close()
    assert sink.got == numbered(150)[:100]
    assert told == [SinkRecovered("fake", 0.0, 60)]


def test_a_sink_that_hangs_holds_up_nobody() -> None:
    sink = Fake()
    sink.hang.clear()
    feeder, _ = runner(sink)
    feeder.offer(numbered(10))
    feeder.close()
    assert not sink.got, "both came back while the sink hung"
    sink.hang.set()


def test_lines_that_are_refused_do_not_block_those_behind() -> None:
    sink = Fake()
    sink.trouble = [RefusedError("it answers 400", 3)]
    feeder, told = runner(sink)
    feeder.offer(numbered(3))
    until(lambda: bool(told))
    feeder.offer([b"next\n"])
    until(lambda: len(told) == 2)
    feeder.close()
    assert sink.got == [b"next\n"]
    assert told[0] == SinkFailed("fake", "it answers 400 (3 lines are lost)")
    assert isinstance(told[1], SinkRecovered)
    assert told[1].lost == 3


def test_a_sink_with_a_fault_of_ours_is_told_too() -> None:
    sink = Fake()
    sink.trouble = [ValueError("a line is too long")]
    feeder, told = runner(sink)
    feeder.offer(numbered(1))
    until(lambda: len(told) == 2)
    feeder.close()
    assert sink.got == numbered(1)
