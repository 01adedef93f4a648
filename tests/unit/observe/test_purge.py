"""Taking lines out: the chain still fits, and the log tells."""

from pathlib import Path

import pytest

from holdfast.errors import StateError
from holdfast.events import LogPurged
from holdfast.observe.chain import Link
from holdfast.observe.event_log import EventLog
from holdfast.observe.packing import pack
from holdfast.observe.purge import purge, stub_digest
from holdfast.observe.segments import segments
from holdfast.secret import Secret
from support.logs import check, records, write

KEY = Secret(bytes(32))


def purged(path: Path, wanted: str, key: Secret | None = None) -> int:
    log = EventLog(path)
    log.request(lambda file: file.rotate()).result(10)
    try:
        return purge(path, key, lambda line: _named(line, wanted), "purged", lambda event: log.record(event).result(10))
    finally:
        log.close()


def _named(line: Link, wanted: str) -> bool:
    return wanted.encode() in line.octets


def test_the_chain_fits_and_the_log_says_what_was_done(tmp_path: Path) -> None:
    path = write(tmp_path, 20)
    assert purged(path, '"fact 1') == 11
    report = check(path)
    assert report.whole, report.problems
    assert report.stubs == 11
    assert "fact 12" not in str(records(path))
    assert "fact 5" in str(records(path))
    (told,) = [record for record in records(path) if record.get("event") == "LOG_PURGED"]
    assert (told["lines"], told["cause"], told["segment"]) == (11, "purged", "events-000000000001.jsonl")


def test_a_second_purge_of_the_same_segment_is_explained_too(tmp_path: Path) -> None:
    path = write(tmp_path, 20)
    assert purged(path, '"fact 3"') == 1
    assert purged(path, '"fact 4"') == 1
    assert check(path).whole
    assert check(path).stubs == 2


def test_one_more_line_than_the_log_tells_of_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path, 20)
    purged(path, '"fact 3"')
    purge(path, None, lambda line: _named(line, '"fact 4"'), "purged", lambda _event: None)
    assert [problem.kind for problem in check(path).problems] == ["emptied"]


@pytest.mark.parametrize("key", [None, KEY])
def test_packed_segments_stay_packed(tmp_path: Path, key: Secret | None) -> None:
    path = write(tmp_path, 20)
    log = EventLog(path)
    log.request(lambda file: file.rotate()).result(10)
    log.close()
    packed = pack(segments(path)[0].path, key)
    assert purged(path, '"fact 3"', key) == 1
    assert packed.exists()
    assert check(path, key).whole


def test_a_segment_in_which_nothing_is_left_is_removed(tmp_path: Path) -> None:
    path = write(tmp_path, 20)
    assert purged(path, '"fact ') == 20
    report = check(path)
    assert report.whole, report.problems
    assert report.first_seq == 25
    assert any("removed by purges" in note for note in report.notes)
    assert len(segments(path)) == 1


def test_a_segment_removed_without_a_word_is_missed(tmp_path: Path) -> None:
    path = write(tmp_path, 20)
    log = EventLog(path)
    log.request(lambda file: file.rotate()).result(10)
    log.close()
    segments(path)[0].path.unlink()
    assert [problem.kind for problem in check(path).problems] == ["removed"]


def test_a_purge_that_was_interrupted_after_its_word_looks_like_no_crime(tmp_path: Path) -> None:
    path = write(tmp_path, 20)
    log = EventLog(path)
    log.request(lambda file: file.rotate()).result(10)

    def tell(event: LogPurged) -> None:
        log.record(event).result(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        purge(path, None, lambda line: _named(line, '"fact 3"'), "purged", tell)
    log.close()
    assert check(path).whole
    assert purged(path, '"fact 3"') == 1
    assert check(path).whole


def test_the_digest_of_stubs_is_what_the_page_says() -> None:
    assert stub_digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert stub_digest([1]) != stub_digest([2])


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_purged(tmp_path: Path) -> None:
    path = write(tmp_path, 200)
    log = EventLog(path)
    log.request(lambda file: file.rotate()).result(60)
    log.close()
    damaged = pack(segments(path)[0].path, None)
    damaged.write_bytes(damaged.read_bytes()[:-300])
    write(tmp_path, 20)
    with pytest.raises(
        StateError, match=r"11 lines were taken out; in 1 files that cannot be read nothing was"
    ) as said:
        purged(path, '"fact 1')
    assert said.value.where == str(damaged)
    assert damaged.exists()
    report = check(path)
    assert report.stubs == 11
    assert [problem.kind for problem in report.problems] == ["damaged"]
