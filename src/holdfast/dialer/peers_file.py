"""pppd's options and peers files, read as a tunnel, with a sentence on how each line was understood (pppd(8))."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from holdfast.dialer.peers_words import SWITCHES, VALUES, Draft, Understood, addresses, pptp_command
from holdfast.dialer.settings import TunnelSettings
from holdfast.errors import ConfigError

DEEPEST = 8
"""How deep files may name files; pppd would go on for ever."""
LARGEST = 256 * 1024
ADDRESSES = re.compile(r"[0-9.]*:[0-9.]*")
Reader = Callable[[Path], str]


class Level(StrEnum):
    """How a line was taken."""

    TAKEN = "taken"
    CORRECTED = "corrected"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Note:
    """One option of a file: where it stands, what is written, and how it was understood."""

    place: str
    written: str
    level: Level
    meaning: str


@dataclass(frozen=True, slots=True)
class PeersFile:
    """A tunnel made of a file, and how each line was understood."""

    settings: TunnelSettings
    notes: tuple[Note, ...]


@dataclass(slots=True)
class _Reading:
    root: Path
    read: Reader
    draft: Draft = field(default_factory=Draft)
    notes: list[Note] = field(default_factory=list)


def load(path: Path, read: Reader | None = None) -> PeersFile:
    """Read a peers file. ConfigError when it cannot be read or does not name a PPTP server and a user."""
    reading = _Reading(path.parent, read or _read)
    _file(reading, path, 0)
    draft = reading.draft
    if not draft.host:
        fix = 'add a line such as: pty "pptp vpn.example --nolaunchpppd"'
        raise ConfigError("this file names no PPTP server", where=str(path), fix=fix)
    if not (draft.user or draft.name):
        raise ConfigError("this file names no user", where=str(path), fix="add a line: name USER")
    name = "".join(char if char.isalnum() or char in "_.-" else "-" for char in path.name)[:32]
    settings = replace(draft.settings(), name=name.lstrip("-.") or "peer")
    return PeersFile(settings, tuple(reading.notes))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(octets) > LARGEST:
        raise ConfigError(f"is larger than {LARGEST} octets: this is no options file", where=str(path))
    return octets.decode("utf-8", "replace")


def _file(reading: _Reading, path: Path, depth: int) -> None:
    if depth > DEEPEST:
        raise ConfigError(f"files name files more than {DEEPEST} deep", where=str(path))
    words = iter(list(_words(reading.read(path), path)))
    for place, word in words:
        _option(reading, place, word, words, depth)


def _words(text: str, path: Path) -> Iterator[tuple[str, str]]:
    """Split as pppd does: blanks, quotes, a backslash, comments to the end of the line."""
    for number, line in enumerate(text.splitlines(), start=1):
        place = f"{path}:{number}"
        splitter = shlex.shlex(line, posix=True, punctuation_chars=False)
        splitter.whitespace_split, splitter.commenters = True, "#"
        try:
            yield from ((place, word) for word in splitter)
        except ValueError as error:
            raise ConfigError(f"a quote is not closed: {error}", where=place) from None


def _option(reading: _Reading, place: str, word: str, words: Iterator[tuple[str, str]], depth: int) -> None:
    def value() -> str:
        following = next(words, None)
        if following is None:
            raise ConfigError(f"{word} needs a value, and the file ends", where=place)
        return following[1]

    if word in {"call", "file"}:
        _include(reading, place, word, value(), depth)
    elif word == "pty":
        command = value()
        _note(reading, place, f'pty "{command}"', pptp_command(command, reading.draft))
    elif word in VALUES:
        text = value()
        _note(reading, place, f"{word} {text}", VALUES[word](text, reading.draft))
    elif word in SWITCHES:
        _note(reading, place, word, SWITCHES[word](reading.draft))
    elif ADDRESSES.fullmatch(word):
        _note(reading, place, word, addresses(word, reading.draft))
    elif word == "mppe":
        _note(reading, place, f"{word} {value()}", SWITCHES["mppe required"](reading.draft))
    else:
        _note(reading, place, word, Understood("nothing is known of this option; it is left out", "unknown"))


def _include(reading: _Reading, place: str, word: str, name: str, depth: int) -> None:
    path = Path(name) if Path(name).is_absolute() else reading.root / name
    reading.notes.append(Note(place, f"{word} {name}", Level.TAKEN, f"reads {path}"))
    _file(reading, path, depth + 1)


def _note(reading: _Reading, place: str, written: str, understood: Understood) -> None:
    reading.notes.append(Note(place, written, Level(understood.level), understood.meaning))
