"""The words of pppd's files, by the rules of pppd(8): quotes, backslash escapes, comments, lines that go on.

Octets in, octets out: pppd knows no character sets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_WORD = 1023
"""pppd cuts longer words off."""

_ESCAPE = rb"\\(?:(?P<join>\n)|(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9A-Fa-f]{0,2})|(?P<char>[^\n]))"
_OUTSIDE = re.compile(
    _ESCAPE
    + rb"|(?P<quote>[\"'])|(?P<newline>\n)|(?P<comment>\#[^\n]*)|(?P<space>[ \t\r\v\f]+)|(?P<plain>[^\s\\\"'\#]+)",
    re.DOTALL,
)
_INSIDE = {
    b'"': re.compile(_ESCAPE + rb'|(?P<quote>")|(?P<plain>[^\\"]+)', re.DOTALL),
    b"'": re.compile(_ESCAPE + rb"|(?P<quote>')|(?P<plain>[^\\']+)", re.DOTALL),
}
_CONTROLS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"s": b" ", b"t": b"\t"}


@dataclass(frozen=True, slots=True)
class WordLine:
    """The words that pppd takes as one line, and the number of the line on which the first stands."""

    number: int
    words: tuple[bytes, ...]
    complete: bool = True
    """False when a quote was still open at the end of the file."""


def word_lines(octets: bytes) -> Iterator[WordLine]:
    """Split a file into its lines of words; empty ones are left out. Any octets are taken."""
    reader = _Reader(octets)
    words: list[bytes] = []
    begin = 0
    for number, word in reader.words():
        if word is None:
            if words:
                yield WordLine(begin, tuple(words))
            words = []
        else:
            begin = begin if words else number
            words.append(word[:LONGEST_WORD])
    if words:
        yield WordLine(begin, tuple(words), not reader.open_quote)


class _Reader:
    """Walks once over the octets."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at, self._line = octets, 0, 1
        self.open_quote = b""

    def words(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield (line, word), and (line, None) at each end of a line."""
        word: bytearray | None = None
        begin = 1
        while match := self._next():
            kind = match.lastgroup
            if kind in {"space", "newline", "comment"}:
                if word is not None:
                    yield begin, bytes(word)
                word = None
                if kind == "newline":
                    yield self._line, None
            elif kind != "join":
                begin = self._line if word is None else begin
                word = (word if word is not None else bytearray()) + self._value(match)
            self._line += match[0].count(b"\n")
        if word is not None:
            yield begin, bytes(word)

    def _next(self) -> re.Match[bytes] | None:
        pattern = _INSIDE[self.open_quote] if self.open_quote else _OUTSIDE
        match = pattern.match(self._octets, self._at)
        if match:
            self._at = match.end()
        return match

    def _value(self, match: re.Match[bytes]) -> bytes:
        """Return what a piece of a word stands for."""
        text = match[match.lastgroup or 0]
        if match.lastgroup == "quote":
            self.open_quote = b"" if self.open_quote else text
            return b""
        if match.lastgroup == "octal":
            return bytes([int(text, 8) & 0xFF])
        if match.lastgroup == "hex":
            return bytes([int(text or b"0", 16)])
        if match.lastgroup == "char":
            return _CONTROLS.get(text, text)
        return text
