import pytest

from holdfast.capture.findings.catalogue import entries
from holdfast.capture.logs.judge import sessions_of
from holdfast.capture.logs.lines import Side
from holdfast.capture.logs.patterns import PATTERNS, SHAPES_MOST, USER, WINDOWS_MEANINGS, Sieve


def test_every_meaning_is_in_the_catalogue() -> None:
    meant = {pattern.meaning(side) for pattern in PATTERNS for side in Side}
    meant |= {meaning for meaning, _ in WINDOWS_MEANINGS.values()}
    assert meant <= set(entries())


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("kernel: conntrack: generic helper won't handle protocol 47.", "nat-without-helper"),
        ("radiusd[1]: Login incorrect (Outside allowed timespan (time allowed Wk0900-1700)): [bob]", "auth-hours"),
    ],
)
def test_words_with_a_closer_meaning(text: str, finding: str) -> None:
    (session,) = sessions_of([f"Nov  1 10:00:00 gate {text}"])
    assert [each.id for each, _ in session.findings()] == [finding]


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("Peer bob failed CHAP authentication", "bob"),
        ('recv [MSCHAP-v2 Response id=1 <..>, name="test"]', "test"),
        ("<pptp-USER>: authenticated", "USER"),
        ("USER logged in, 192.168.200.10", "USER"),
        ("Login incorrect (mschap: wrong): [bob/<via Auth-Type = mschap>]", "bob"),
    ],
)
def test_names(text: str, user: str) -> None:
    found = USER.search(text)
    assert found is not None
    assert found[1] == user


def test_words_that_are_no_names() -> None:
    assert USER.search("user disconnect statistics") is None


def test_numbers_do_not_hide_what_they_mean() -> None:
    sieve = Sieve()
    assert not sieve.lets_through("E=123 whatever")
    assert sieve.lets_through("E=691 whatever")
    assert not sieve.lets_through("eth0: link 12")
    assert not sieve.lets_through("eth1: link 13")
    assert sieve.lets_through("LCP: timeout sending Config-Requests")


def test_ever_new_shapes_are_bounded() -> None:
    sieve = Sieve()
    for number in range(SHAPES_MOST + 10):
        sieve.lets_through("x" + chr(0x4E00 + number % 20_000) * (1 + number // 20_000))
    assert len(sieve._dull) <= SHAPES_MOST
