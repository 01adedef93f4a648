from datetime import UTC

from holdfast.capture.logs.nps import answer, is_nps, read_nps
from holdfast.capture.logs.when import Clock

FIELDS = ",," * 9


def row(packet: int, reason: int) -> str:
    return f'"NPS1","IAS",01/02/2026,03:04:05,{packet},"CORP\\bob",{FIELDS},{reason},'


def test_an_answer_each_line() -> None:
    texts = [row(1, 0), row(3, 65), "rubbish", row(2, 0)]
    texts[1] = '"NPS1","IAS",01/02/2026,03:04:05,3,"CORP\\bob"' + "," * 20 + "65,"
    refused, granted = read_nps(texts, Clock(0.0, UTC))
    assert (refused.number, refused.user, refused.when) == (2, "CORP\\bob", 1767323045 * 10**9)
    assert [meaning for meaning, _, _ in refused.told] == ["auth-no-permission"]
    assert granted.up


def test_reasons_nobody_knows() -> None:
    (line,) = answer(1, None, "bob", "3", "")
    assert line.told[0][:2] == ("auth-rejected", 0.5)
    assert list(answer(1, None, "bob", "11", "0")) == []


def test_how_it_begins() -> None:
    assert is_nps(row(1, 0))
    assert not is_nps("2026-01-02 03:04:05,1,2")
