import pytest

from holdfast.capture.findings.catalogue import entries
from holdfast.capture.logs.lines import Side
from holdfast.capture.logs.patterns import PATTERNS, USER, WINDOWS_MEANINGS


def test_every_meaning_is_in_the_catalogue() -> None:
    meant = {pattern.meaning(side) for pattern in PATTERNS for side in Side}
    meant |= {meaning for meaning, _ in WINDOWS_MEANINGS.values()}
    assert meant <= set(entries())


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
