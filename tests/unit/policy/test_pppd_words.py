"""The words of pppd's files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.policy.pppd_words import LONGEST_WORD, WordLine, word_lines


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"a b\tc", [b"a", b"b", b"c"]),
        (b"\"a b\" 'c d'", [b"a b", b"c d"]),
        (b"a\"b c\"d'e f'", [b"ab cde f"]),
        (rb"a\ b\"c\'d\\e", [b"a b\"c'd\\e"]),
        (rb"\a\b\f\n\r\s\t\q", [b"\a\b\f\n\r \tq"]),
        (rb"\101\60x\7", [b"A0x\x07"]),
        (rb"\x41\x4g\xzz", [b"A\x04g\x00zz"]),
        (b"a b#c d", [b"a", b"b"]),
        (rb"a b\#c", [b"a", b"b#c"]),
        (b'a "b#c"', [b"a", b"b#c"]),
        (b"a\\\nb c", [b"ab", b"c"]),
        (b"a \\\n b", [b"a", b"b"]),
        (b'a "b\nc" d', [b"a", b"b\nc", b"d"]),
        (b'a "" b', [b"a", b"", b"b"]),
        (b'a "x\\"y" b', [b"a", b'x"y', b"b"]),
        (b"\xff\xfe \x00", [b"\xff\xfe", b"\x00"]),
    ],
)
def test_words_of_one_line(octets: bytes, words: list[bytes]) -> None:
    assert [list(line.words) for line in word_lines(octets)] == [words]


def test_lines_have_the_number_of_their_first_word() -> None:
    text = b"# one\n\n  a b\nc \\\n d\n'e\nf' g # h \\\ni\n#\nj"
    assert list(word_lines(text)) == [
        WordLine(3, (b"a", b"b")),
        WordLine(4, (b"c", b"d")),
        WordLine(6, (b"e\nf", b"g")),
        WordLine(8, (b"i",)),
        WordLine(10, (b"j",)),
    ]


def test_an_open_quote_is_known() -> None:
    assert list(word_lines(b"a b\nc 'd\ne")) == [
        WordLine(1, (b"a", b"b")),
        WordLine(2, (b"c", b"d\ne"), complete=False),
    ]


def test_long_words_are_cut_as_pppd_cuts_them() -> None:
    [line] = word_lines(b"x" * 5000)
    assert line.words == (b"x" * LONGEST_WORD,)


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text("ab \t\n\\\"'#x0", max_size=60).map(str.encode))
def test_any_octets_are_walked_to_their_end(octets: bytes) -> None:
    lines = list(word_lines(octets))
    assert [line.number for line in lines] == sorted({line.number for line in lines})
    assert all(line.words for line in lines)
    assert sum(len(word) for line in lines for word in line.words) <= len(octets)


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=12), min_size=1, max_size=5))
def test_what_is_quoted_comes_back(words: list[bytes]) -> None:
    quoted = b" ".join(b'"' + word.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' for word in words)
    assert [line.words for line in word_lines(quoted)] == [tuple(words)]
