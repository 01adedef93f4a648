"""A sink that was away gets everything all the same: the log is its spool, in this life and in the next."""

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from holdfast.events import PeerIdentified
from holdfast.observe.chain import seq_of
from holdfast.observe.event_log import EventLog, LogOptions
from holdfast.observe.segments import segments
from holdfast.observe.sinks.bookmark import Bookmark
from holdfast.observe.sinks.runner import SinkRunner
from unit.observe.sinks.receivers import until


class Away:
    """A receiver that may be away."""

    name = "away"

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.there = threading.Event()

    def send(self, lines: Sequence[bytes]) -> None:
        if not self.there.is_set():
            raise ConnectionRefusedError("nobody is there")
        self.got += lines

    def close(self) -> None:
        pass

    def numbers(self) -> list[int]:
        return list(map(seq_of, self.got))


class Life:
    """One gateway's log with one sink."""

    def __init__(self, state: Path, spool: int = 50, segment_size: int = 64 << 20) -> None:
        self.sink = Away()
        self.path = state / "events.jsonl"
        book = Bookmark(state, self.sink.name, self.path, None)
        runners: list[SinkRunner] = []

        def connect(log: EventLog) -> list[SinkRunner]:
            runners.append(SinkRunner(self.sink, log.tell, first_retry=0.01, spool=spool, book=book))
            return runners

        self.log = EventLog(self.path, options=LogOptions(segment_size=segment_size, connect=connect))
        (self.runner,) = runners

    def write(self, count: int) -> int:
        for _ in range(count):
            self.log.emit(PeerIdentified("x"), {})
        return self.log.request(lambda file: (file.flush(), file.seq)[1]).result(10)

    def up_to_date(self, last: int) -> bool:
        return bool(self.sink.got) and seq_of(self.sink.got[-1]) >= last


@pytest.fixture
def lives(tmp_path: Path) -> Iterator:
    begun: list[Life] = []

    def begin(**options) -> Life:
        begun.append(Life(tmp_path, **options))
        return begun[-1]

    yield begin
    for life in begun:
        life.log.close()


def test_more_than_the_spool_is_read_from_the_log(lives) -> None:
    life = lives(segment_size=20_000)
    last = life.write(1000)
    assert life.runner.waiting <= 50
    life.sink.there.set()
    until(lambda: life.up_to_date(last))
    last = life.write(100)
    until(lambda: life.up_to_date(last))
    numbers = life.sink.numbers()
    assert numbers == list(range(1, numbers[-1] + 1)), "each line once, in order"
    recovered = [json.loads(line) for line in life.sink.got if b'"SINK_RECOVERED"' in line]
    assert [record["lost"] for record in recovered] == [0]
    assert len(segments(life.path)) > 2


def test_what_one_gateway_could_not_deliver_the_next_one_does(lives) -> None:
    first = lives()
    first.sink.there.set()
    last = first.write(20)
    until(lambda: first.up_to_date(last))
    first.sink.there.clear()
    first.write(300)
    first.log.close()
    had = first.sink.numbers()
    second = lives()
    second.sink.there.set()
    last = second.write(5)
    until(lambda: second.up_to_date(last))
    numbers = had + second.sink.numbers()
    assert numbers == list(range(1, numbers[-1] + 1))


def test_a_sink_that_is_new_begins_with_what_is_new(lives, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    for _ in range(30):
        log.emit(PeerIdentified("x"), {})
    log.close()
    life = lives()
    life.sink.there.set()
    last = life.write(3)
    until(lambda: life.up_to_date(last))
    assert life.sink.numbers()[0] > 31


def test_lines_that_are_gone_are_counted_as_lost(lives) -> None:
    first = lives(segment_size=4_000)
    first.write(100)
    first.log.close()
    closed = [segment for segment in segments(first.path) if not segment.is_open]
    closed[0].path.unlink()
    gone = closed[1].first - 1
    second = lives(segment_size=4_000)
    second.sink.there.set()
    last = second.write(1)
    until(lambda: second.up_to_date(last))
    until(lambda: b'"SINK_RECOVERED"' in b"".join(second.sink.got))
    told = [json.loads(line) for line in second.sink.got if b'"SINK_RECOVERED"' in line]
    assert sum(record["lost"] for record in told) == gone
    assert second.sink.numbers()[0] == gone + 1


def test_a_log_that_was_begun_anew_is_no_reason_to_skip_lines(lives, tmp_path: Path) -> None:
    Bookmark(tmp_path, "away", tmp_path / "events.jsonl", None).write(5000)
    life = lives()
    life.sink.there.set()
    last = life.write(10)
    until(lambda: life.up_to_date(last))
    assert life.sink.numbers()[0] == 1


def test_lines_that_were_taken_out_are_not_sent(lives) -> None:
    life = lives()
    life.runner.offer([b'{"stub":"person","digest":"' + b"0" * 64 + b'","seq":2,"chain":"' + b"0" * 64 + b'"}\n'])
    life.sink.there.set()
    last = life.write(3)
    until(lambda: life.up_to_date(last))
    assert b'"stub"' not in b"".join(life.sink.got)


def test_what_was_read_before_it_was_offered_comes_once(lives) -> None:
    """The log writes its file first and offers then: a sink that catches up may see a line in between."""
    life = lives(spool=0)
    life.sink.there.set()
    offer, late = life.runner.offer, []
    life.runner.offer = late.append
    life.write(20)
    until(lambda: len(b"".join(map(b"".join, late)).splitlines()) >= 20)
    life.runner.offer = offer
    offer(late[0])
    until(lambda: life.up_to_date(20))
    until(lambda: not life.runner._behind)
    for lines in late[1:]:
        offer(lines)
    last = life.write(5)
    until(lambda: life.up_to_date(last))
    assert life.sink.numbers() == list(range(1, last + 1))
