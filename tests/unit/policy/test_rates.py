"""Rates as Mikrotik writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.rates import read_mikrotik


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("64k", (64_000, 64_000)),
        ("128k/2M", (128_000, 2_000_000)),
        ("1G/10", (1_000_000_000, 10)),
        ("1M/2M 2M/4M 512k/1M 8/8 8", (1_000_000, 2_000_000)),
        ("", None),
        ("fast", None),
        ("1M/", None),
        ("1M/2M/3M", None),
        ("-1/5", None),
    ],
)
def test_the_first_word_counts(text: str, rates: tuple[int, int] | None) -> None:
    assert read_mikrotik(text) == rates


@given(st.text(max_size=40))
def test_any_text_is_taken(text: str) -> None:
    read_mikrotik(text)
