from holdfast.capture.findings.base import FRAMES_MOST, Entry, Fixes, Severity, Towards
from holdfast.capture.moment import Moment

ENTRY = Entry("an-id", "Title", "Meaning", "How", Severity.FAULT, (691,), Fixes(client=("Do this.",)))


def test_evidence_is_sorted_once_each_and_bounded() -> None:
    places = [Moment(number, 0, number) for number in range(100, 0, -1)]
    finding = ENTRY.found("why", [None, *places, *places], certainty=1.7)
    assert len(finding.evidence) == FRAMES_MOST
    assert finding.evidence[0].frame == 1
    assert finding.certainty == 1.0


def test_a_filter_that_every_wireshark_takes() -> None:
    assert (
        ENTRY.found("why", [Moment(1, 0, 5), Moment(0, 0, 3)], certainty=1).filter
        == "frame.number == 3 || frame.number == 5"
    )
    assert ENTRY.found("why", certainty=1).filter == ""


def test_the_worst_and_surest_come_first() -> None:
    note = ENTRY.found("", certainty=1.0, severity=Severity.NOTE)
    unsure, sure = (ENTRY.found("", certainty=value) for value in (0.4, 0.9))
    assert sorted([note, unsure, sure], key=lambda finding: finding.order()) == [sure, unsure, note]


def test_as_data() -> None:
    data = ENTRY.found("why", [Moment(1, 2, 5)], certainty=0.5, towards=Towards.CLIENT).as_data()
    assert data["frames"] == [5]
    assert data["files"] == [2]
    assert data["direction"] == "server-to-client"
    assert data["fixes"] == {"client": ["Do this."]}
