"""What is wrong with a configuration, in words that help."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from holdfast.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (section and key, and line, 0 when unknown), what, and what was probably meant."""

    path: tuple[str, ...]
    what: str
    meant: str = ""
    line: int = 0

    @property
    def key(self) -> str:
        """The dotted key; empty for the file as a whole."""
        return ".".join(self.path)

    def text(self, file: str) -> str:
        """Return the message for people."""
        place = f"{file}:{self.line}" if self.line else file
        head = f"{place}: {self.key}: {self.what}" if self.key else f"{place}: {self.what}"
        return f"{head}\n  {self.meant}" if self.meant else head

    def as_dict(self) -> dict[str, str | int]:
        """Return the problem as plain data."""
        return {"key": self.key, "what": self.what, "meant": self.meant, "line": self.line}


class InvalidConfigError(ConfigError):
    """A file that was read, with everything that is wrong in it."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file, self.problems = file, tuple(problems)
        super().__init__("\n".join(problem.text(file) for problem in self.problems))


class UnreadableConfigError(ConfigError):
    """A file that cannot be read at all."""


WORDS_OF_OTHERS = {
    "localip": "addresses.gateway",
    "remoteip": "addresses.pool",
    "ms-dns": "addresses.dns",
    "ms-wins": "addresses.wins",
    "auth": "ppp.authentication",
    "require-mppe": 'ppp.mppe = "require"',
    "require-mppe-128": 'ppp.mppe = "require" with ppp.mppe_bits = [128]',
    "require-mppe-40": 'ppp.mppe = "require" with ppp.mppe_bits = [40]',
    "require-mschap-v2": 'ppp.authentication = ["ms-chap-v2"]',
    "nomppe": 'ppp.mppe = "off"',
    "mppe-stateful": 'ppp.mppe_mode = "stateful"',
    "lcp-echo-failure": "ppp.lcp_echo_failures",
    "max_sessions": "gateway.max_connections",
    "connections": "gateway.max_connections",
}
"""What pppd, pptpd and people call our keys."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return `Did you mean ...?` for the nearest choice, or nothing."""
    near = get_close_matches(word.lower(), list(choices), n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else ""


def meant_by_unknown_key(path: tuple[str, ...], sections: dict[str, tuple[str, ...]]) -> str:
    """Say what an unknown key probably meant. `sections` maps each section to its keys."""
    word, section = path[-1], path[0] if len(path) > 1 else ""
    if word.lower() in WORDS_OF_OTHERS:
        return f"In Holdfast this is {WORDS_OF_OTHERS[word.lower()]}."
    if section:
        near = did_you_mean(word, sections.get(section, ()))
        if near:
            return near
    elif near := did_you_mean(word, sections):
        return near
    return _elsewhere(word, sections)


def _elsewhere(word: str, sections: dict[str, tuple[str, ...]]) -> str:
    """Look for the key in all sections, and end with a list of what there is."""
    everywhere = {key: section for section, keys in reversed(sections.items()) for key in keys}
    near = get_close_matches(word.lower(), everywhere, n=1, cutoff=0.7)
    if near:
        return f"Did you mean {near[0]!r} in [{everywhere[near[0]]}]?"
    return f"The sections are {', '.join(sections)}; `holdfast config show` lists every key."
