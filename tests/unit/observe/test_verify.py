"""What verification sees: every way to change a log."""

from pathlib import Path

import pytest

from holdfast.events import PeerIdentified
from holdfast.observe.chain import compose, parse, stub
from holdfast.observe.event_log import EventLog
from holdfast.observe.packing import pack
from holdfast.observe.segments import segments
from holdfast.observe.signing import SigningKey
from holdfast.observe.verify import Expected, verify
from support.logs import check, edit, records, write


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path, 20)


def found(path: Path) -> list[tuple[str, int]]:
    return [(problem.kind, problem.line) for problem in check(path).problems]


def test_an_untouched_log_is_whole(log: Path) -> None:
    report = check(log)
    assert report.whole
    assert (report.lines, report.first_seq, report.last_seq, report.signatures) == (22, 1, 22, 1)
    assert report.notes == []


def test_a_changed_line_is_named(log: Path) -> None:
    edit(log, lambda lines: [line.replace(b"fact 7", b"fact 8") for line in lines])
    assert found(log) == [("changed", 9)]


def test_a_removed_line_is_named(log: Path) -> None:
    edit(log, lambda lines: lines[:5] + lines[8:])
    (problem,) = check(log).problems
    assert (problem.kind, problem.line, problem.seq) == ("removed", 6, 6)
    assert problem.text == "lines 6 to 8 are missing before line 9"


def test_moved_lines_are_named(log: Path) -> None:
    edit(log, lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]])
    (problem,) = check(log).problems
    assert (problem.kind, problem.line) == ("reordered", 6)


def test_a_repeated_line_is_named(log: Path) -> None:
    edit(log, lambda lines: [*lines[:6], lines[5], *lines[6:]])
    assert found(log) == [("repeated", 7)]


def test_lines_cut_off_the_end_are_missed(log: Path) -> None:
    edit(log, lambda lines: lines[:-3])
    (problem,) = check(log).problems
    assert (problem.kind, problem.seq) == ("removed", 20)


def test_lines_cut_off_the_beginning_are_missed(log: Path) -> None:
    edit(log, lambda lines: lines[3:])
    (problem,) = check(log).problems
    assert (problem.kind, problem.text) == ("removed", "lines 1 to 3 are missing, and no purge says so")


def test_a_line_that_is_none_is_named(log: Path) -> None:
    edit(log, lambda lines: [*lines[:5], b"garbage\n", *lines[6:]])
    assert found(log) == [("changed", 6)]


def test_a_line_that_was_put_in_is_named(log: Path) -> None:
    def insert(lines: list[bytes]) -> list[bytes]:
        before = parse(lines[4])
        assert before is not None
        forged, _ = compose(b'{"ts":"2026","event":"ADMIN","severity":"notice"}', 6, before.chain)
        return [*lines[:5], forged, *lines[5:]]

    edit(log, insert)
    assert found(log)[0] == ("repeated", 7)


def test_a_line_that_was_emptied_without_a_purge_is_named(log: Path) -> None:
    def empty(lines: list[bytes]) -> list[bytes]:
        line = parse(lines[9])
        assert line is not None
        return [*lines[:9], stub(line, "purged"), *lines[10:]]

    edit(log, empty)
    (problem,) = check(log).problems
    assert problem.kind == "emptied"


def rewritten(lines: list[bytes], index: int) -> list[bytes]:
    """Change one line and compute the chain anew from there: what somebody without the key can do."""
    before = parse(lines[index - 1])
    assert before is not None
    chain, made = before.chain, list(lines[:index])
    for raw in lines[index:]:
        line = parse(raw)
        assert line is not None
        fresh, chain = compose(line.text().replace(b"fact 7", b"fact 8"), line.seq, chain)
        made.append(fresh)
    return made


def test_a_chain_that_was_computed_anew_does_not_fit_its_signature(log: Path) -> None:
    edit(log, lambda lines: rewritten(lines, 8))
    kinds = {problem.kind for problem in check(log).problems}
    assert "forged" in kinds or "changed" in kinds
    assert not check(log).whole


def test_the_signature_alone_sees_it_too(log: Path) -> None:
    """Without the signed head in the state directory."""
    (log.parent / "events.head").unlink()
    edit(log, lambda lines: rewritten(lines, 8))
    (problem,) = check(log).problems
    assert problem.kind == "forged"
    assert problem.line == 22
    assert problem.text.startswith("the signature is not good: lines 1 to 22")


def test_a_log_signed_with_another_key_is_forged(log: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = SigningKey.open(tmp_path_factory.mktemp("other"))
    assert {problem.kind for problem in check(log, public=other.public).problems} == {"forged"}


def test_a_torn_last_line_is_a_note(log: Path) -> None:
    log.write_bytes(log.read_bytes() + b'{"ts":"2026')
    report = check(log)
    assert report.whole
    assert "torn after 11 octets" in report.notes[0]


def test_a_torn_line_in_a_closed_segment_is_a_problem() -> None:
    report = verify([("events-000000000001.jsonl", False, [b'{"ts":'])], Expected())
    assert [problem.kind for problem in report.problems] == ["torn"]


def test_problems_are_bounded(log: Path) -> None:
    edit(log, lambda lines: [b"x\n"] * 5000)
    assert len(check(log).problems) <= 102


def test_a_signature_that_is_no_signature_is_forged(log: Path) -> None:
    signed = records(log)[-1]["signature"].encode()
    edit(log, lambda lines: [line.replace(signed, b"zz") for line in lines])
    assert {problem.kind for problem in check(log).problems} >= {"forged"}


def test_lines_that_are_none_cost_nothing_but_their_place(log: Path) -> None:
    """Put in between, or in the place of some: the lines around them are what they were."""
    edit(log, lambda lines: [*lines[:5], b"garbage\n", *lines[5:]])
    assert found(log) == [("changed", 6)]
    edit(log, lambda lines: [*lines[:5], b"garbage\n", b"\0\0\n", *lines[8:]])
    assert [(problem.kind, problem.seq) for problem in check(log).problems] == [("changed", 6), ("changed", 7)]


def test_what_the_log_says_of_itself_may_be_nonsense_too(log: Path) -> None:
    def nonsense(lines: list[bytes]) -> list[bytes]:
        before = parse(lines[4])
        assert before is not None
        text = b'{"ts":"2026","event":"LOG_PURGED","severity":"info","removed":true,"last_seq":"x","head":[]}'
        forged, _ = compose(text, 6, before.chain)
        return [*lines[:5], forged, *lines[6:]]

    edit(log, nonsense)
    assert found(log)[0] == ("changed", 7)


def test_a_packed_file_that_is_damaged_is_named_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    log = write(tmp_path, 300)
    for number in range(2):
        writer = EventLog(log)
        writer.request(lambda file: file.rotate()).result(60)
        writer.emit(PeerIdentified(f"later {number}"), {})
        writer.close()
    packed = pack(segments(log)[0].path, None)
    assert check(log).whole
    packed.write_bytes(packed.read_bytes()[:-2000])
    (problem,) = check(log).problems
    assert (problem.kind, problem.file) == ("damaged", "events-000000000001.jsonl")
    assert 1 < problem.seq < 302
    edit(log, lambda lines: [line.replace(b"later 1", b"later 2") for line in lines])
    assert [one.kind for one in check(log).problems] == ["damaged", "changed"]
