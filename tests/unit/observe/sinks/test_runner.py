"""The thread that feeds a sink."""

import threading
import time
from collections.abc import Sequence

import pytest

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


class Picky(Fake):
    """A sink that cannot write one of the lines in its receiver's form, and takes so many at once."""

    def __init__(self, error: Exception, most: int = 1000) -> None:
        super().__init__()
        self.error, self.most = error, most

    def send(self, lines: Sequence[bytes]) -> None:
        if len(lines) > self.most:
            raise ValueError("it answers 413")
        if b"poison\n" in lines:
            raise self.error
        super().send(lines)


@pytest.mark.parametrize("error", [ValueError("too long"), KeyError("severity"), TypeError("no")])
def test_a_line_that_nobody_can_send_costs_itself_alone(error: Exception) -> None:
    """Such as one that was damaged in the log's file, and was read from there."""
    sink = Picky(error)
    feeder, told = runner(sink)
    lines = [*numbered(40), b"poison\n", *numbered(40)]
    feeder.offer(lines)
    until(lambda: bool(told))
    feeder.offer([b"next\n"])
    until(lambda: len(told) == 2)
    feeder.close()
    assert sink.got == [*numbered(40), *numbered(40), b"next\n"]
    failed, recovered = told
    assert isinstance(failed, SinkFailed)
    assert isinstance(recovered, SinkRecovered)
    assert "a line cannot be sent" in failed.detail
    assert "(1 lines are lost)" in failed.detail
    assert recovered.lost == 1


def test_what_is_too_much_at_once_goes_in_parts() -> None:
    sink = Picky(ValueError(), most=7)
    feeder, told = runner(sink)
    feeder.offer(numbered(200))
    until(lambda: len(sink.got) == 200)
    feeder.close()
    assert sink.got == numbered(200)
    assert told == []


def test_a_receiver_that_comes_and_goes_is_tried_less_and_less_often() -> None:
    """Each change is an event, and each event a line for it: without this they would keep each other going."""
    sink = Fake()
    feeder: SinkRunner
    times: list[float] = []

    def tell(event: Event) -> None:
        times.append(time.monotonic())
        sink.trouble = [OSError("away")] if isinstance(event, SinkRecovered) else []
        feeder.offer([b"about itself\n"])

    feeder = SinkRunner(sink, tell, first_retry=0.02)
    sink.trouble = [OSError("away")]
    feeder.offer(numbered(1))
    until(lambda: len(times) >= 10)
    feeder.close()
    failed = times[::2]
    assert failed[4] - failed[0] >= 0.02 + 0.04 + 0.08 + 0.16
