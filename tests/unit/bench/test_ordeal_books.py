"""The comparison behind `bench.ordeal` sees what is missing, doubled, miscounted and out of order."""

from copy import deepcopy

import pytest

from bench.ordeal_books import Books, compare, summary
from support.freeradius import read_detail


def record(kind: str, stamp: str, session: str = "s1", **more: str) -> dict[str, str]:
    return {"Acct-Session-Id": session, "Acct-Status-Type": kind, "Event-Timestamp": stamp, **more}


def good() -> Books:
    return Books(
        sessions=[
            {"user": "u1", "up": True, "octets": 72, "end": "goodbye"},
            {"user": "u2", "up": False, "octets": 36, "end": "lost"},
        ],
        rows=[
            {
                "username": "u1",
                "acctsessionid": "s1",
                "acctstoptime": 9,
                "acctterminatecause": "User-Request",
                "acctinputoctets": 72,
            }
        ],
        detail=[
            record("Accounting-On", "1", "on"),
            record("Start", "2"),
            record("Interim-Update", "4", **{"Acct-Delay-Time": "0", "Timestamp": "4"}),
            record("Interim-Update", "4", **{"Acct-Delay-Time": "3", "Timestamp": "7"}),
            record("Interim-Update", "6"),
            record("Stop", "9"),
        ],
        up=["s1"],
    )


def test_books_that_agree():
    assert compare(good()) == []
    assert "6 records" not in summary(good())[2]
    assert "1 copies" in summary(good())[2]


def lose_a_row(books: Books) -> None:
    books.rows.clear()


def double_a_row(books: Books) -> None:
    books.rows.append(dict(books.rows[0], acctsessionid="s2"))


def double_a_stop(books: Books) -> None:
    books.detail.append(record("Stop", "11"))


def invent_a_row(books: Books) -> None:
    books.rows[0]["username"] = "u3"


def leave_it_open(books: Books) -> None:
    books.rows[0]["acctstoptime"] = None


def count_too_little(books: Books) -> None:
    books.rows[0]["acctinputoctets"] = 36


def count_too_much(books: Books) -> None:
    books.rows[0].update(acctinputoctets=108, acctterminatecause="NAS-Reboot")


def repeat_a_record_later(books: Books) -> None:
    books.detail.append(books.detail[1])


def change_a_copy(books: Books) -> None:
    books.detail[3]["Acct-Input-Octets"] = "5"


def stop_before_the_update(books: Books) -> None:
    books.detail[4], books.detail[5] = books.detail[5], books.detail[4]


def no_start(books: Books) -> None:
    del books.detail[1]


def updates_swapped(books: Books) -> None:
    books.detail[4]["Event-Timestamp"] = "3"


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lose_a_row, "LOST"),
        (double_a_row, "DOUBLED"),
        (double_a_stop, "DOUBLED"),
        (invent_a_row, "DOUBLED"),
        (leave_it_open, "UNCLOSED"),
        (count_too_little, "MISCOUNTED"),
        (count_too_much, "MISCOUNTED"),
        (repeat_a_record_later, "DISORDER"),
        (change_a_copy, "DISORDER"),
        (stop_before_the_update, "DISORDER"),
        (no_start, "DISORDER"),
        (updates_swapped, "DISORDER"),
    ],
)
def test_what_is_wrong_is_seen(harm, word):
    books = deepcopy(good())
    harm(books)
    assert any(problem.startswith(word) for problem in compare(books))


def test_what_went_before_the_first_answer_may_or_may_not_count():
    books = good()
    books.sessions[0].update(octets=108, doubtful=36)
    assert compare(books) == []
    books.sessions[0]["doubtful"] = 0
    assert compare(books)


def test_dates_of_detail_are_put_in_order_across_a_month():
    books = good()
    dates = ("Nov 30 2026 23:59:58 UTC", "Nov 30 2026 23:59:58 UTC", "Dec  1 2026 00:00:01 UTC")
    for one, date in zip(books.detail[2:5], dates, strict=True):
        one["Event-Timestamp"] = date
    assert compare(books) == []


def test_a_record_cut_short_by_a_kill_is_none():
    whole = 'Mon Jan  1 00:00:00 2026\n\tAcct-Session-Id = "s1"\n\tTimestamp = 5\n\n'
    cut = 'Mon Jan  1 00:00:00 2026\n\tAcct-Session-Id = "s2"\n\tAcct-Sta'
    assert [one["Acct-Session-Id"] for one in read_detail(whole + cut + "\n" + whole)] == ["s1", "s1"]
    assert read_detail(cut) == []
