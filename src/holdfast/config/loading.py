"""Reading a configuration: all problems at once, and for each setting where it came from."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from holdfast.config.contradictions import Finding, contradictions, warnings
from holdfast.config.lines import key_lines, line_of
from holdfast.config.model import LARGEST_MTU, SMALLEST_MTU, Config
from holdfast.config.problems import (
    InvalidConfigError,
    Problem,
    UnreadableConfigError,
    did_you_mean,
    meant_by_unknown_key,
)
from holdfast.config.session_sections import FilterSection, GroupSection, PoolSection

DEFAULT = "default"
"""The origin of a setting that no file names."""

NAMED: dict[str, type[BaseModel]] = {"groups": GroupSection, "pools": PoolSection, "filters": FilterSection}
"""Sections of sections: each has members with names of their own."""
SECTIONS: dict[str, tuple[str, ...]] = {
    **{name: tuple(type(section).model_fields) for name, section in Config() if name not in NAMED},
    **{name: tuple(member.model_fields) for name, member in NAMED.items()},
}
"""Each section and its keys; those of `groups` are the keys of each group, and so on."""

Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective setting: dotted key, value as plain data, and where it came from (`default` or `file:line`)."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, the file it came from (None: defaults only) and what is unwise in it."""

    config: Config
    file: str | None = None
    warnings: tuple[Problem, ...] = ()
    lines: Mapping[Path_, int] = field(default_factory=dict)

    def origin(self, key: str) -> str:
        """Say where the setting with this dotted key came from."""
        *section, name = _path_of(key)
        if self.file is None or name not in self._section(section).model_fields_set:
            return DEFAULT
        line = line_of(self.lines, (*section, name))
        return f"{self.file}:{line}" if line else self.file

    def _section(self, path: list[str]) -> BaseModel:
        if path[0] in NAMED:
            member: BaseModel = getattr(self.config, path[0])[path[1]]
            return member
        section: BaseModel = getattr(self.config, path[0])
        return section

    def settings(self) -> list[Setting]:
        """Return every effective setting, in the order of the documentation."""
        values = self.config.model_dump(mode="json", exclude=set(NAMED))
        for section in NAMED:
            members: dict[str, BaseModel] = getattr(self.config, section)
            for name, member in members.items():
                values[f"{section}.{name}"] = member.model_dump(mode="json", exclude_unset=True)
        return [
            Setting(f"{place}.{key}", value, self.origin(f"{place}.{key}"))
            for place, keys in values.items()
            for key, value in keys.items()
        ]


def _path_of(key: str) -> list[str]:
    """Take `section.key` or `groups.NAME.key` apart; the name may have dots in it."""
    first, _, rest = key.partition(".")
    if first not in NAMED:
        return [first, rest] if rest else [first]
    name, _, last = rest.rpartition(".")
    return [first, name, last]


LARGEST = 4 << 20
"""Octets of a configuration; ten thousand groups have half of that."""


def load(path: Path | None) -> LoadedConfig:
    """Read the file, or take the defaults when there is none.

    Raises UnreadableConfigError when the file cannot be read, and InvalidConfigError with every problem in it.
    """
    if path is None:
        return LoadedConfig(Config())
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
    except OSError as error:
        raise UnreadableConfigError(
            f"cannot be read: {error.strerror}", where=str(path), fix="Name an existing TOML file with --config."
        ) from None
    if len(octets) > LARGEST:
        raise UnreadableConfigError(
            f"this is no configuration: it has more than {LARGEST >> 20} MiB",
            where=str(path),
            fix="Name the right file with --config.",
        )
    try:
        return parse(octets.decode(), str(path))
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise InvalidConfigError(str(path), [Problem((), "this is not UTF-8 text", "", line)]) from None


def parse(text: str, file: str = "<text>") -> LoadedConfig:
    """Read a configuration from its text. Raises InvalidConfigError with every problem in it."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfigError(file, [_syntax_problem(str(error))]) from None
    except RecursionError:  # what the parser does with thousands of brackets within each other
        raise InvalidConfigError(file, [Problem((), "lists or tables are nested too deeply", "", 0)]) from None
    lines = key_lines(text)
    config, problems = _validate(data)
    known = {problem.key for problem in problems}
    problems += [_between(finding) for finding in contradictions(config) if not _touches(finding, known)]
    if problems:
        raise InvalidConfigError(file, _placed(problems, lines))
    unwise = _placed(map(_between, warnings(config)), lines)
    return LoadedConfig(config, file, tuple(unwise), lines)


def schema() -> dict[str, Any]:
    """Return the JSON schema of the file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def _syntax_problem(message: str) -> Problem:
    """Turn the parser's message into a problem with its line."""
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    line = int(place[1]) if place else 0
    what = re.sub(r"\s*\(at [^)]*\)", "", message)
    return Problem((), f"this is not TOML: {what}", "", line)


def _validate(data: dict[str, Any]) -> tuple[Config, list[Problem]]:
    """Return what is usable of the data (defaults for the rest), and what is not."""
    try:
        return Config.model_validate(data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    problems = [_problem(detail) for detail in details if not _follows(detail, details)]
    usable = _without(data, {problem.path for problem in problems})
    return Config.model_validate(usable), problems


def _without(data: dict[str, Any], bad: set[Path_]) -> dict[str, Any]:
    """Leave out the sections and keys that were refused; a group (pool, filter) with a problem goes as a whole."""
    gone = bad | {path[:2] for path in bad if path and path[0] in NAMED}
    return {
        section: {key: value for key, value in keys.items() if (section, key) not in gone}
        for section, keys in data.items()
        if (section,) not in gone
    }


def _follows(detail: ErrorDetails, details: Iterable[ErrorDetails]) -> bool:
    """Whether a list seems too short only because its members were refused."""
    inside = len(detail["loc"])
    return detail["type"] == "too_short" and any(
        other["loc"][:inside] == detail["loc"] and len(other["loc"]) > inside for other in details
    )


def _between(finding: Finding) -> Problem:
    return Problem(tuple(_path_of(finding.keys[0])), finding.what, finding.meant)


def _touches(finding: Finding, known: set[str]) -> bool:
    """Whether the finding rests on a default that stands in for a refused value."""
    return any(key in known or key.partition(".")[0] in known for key in finding.keys)


def _placed(problems: Iterable[Problem], lines: Mapping[Path_, int]) -> list[Problem]:
    """Add the lines, and sort by them."""
    placed = [Problem(problem.path, problem.what, problem.meant, line_of(lines, problem.path)) for problem in problems]
    return sorted(placed, key=lambda problem: problem.line)


def _problem(detail: ErrorDetails) -> Problem:
    """Turn one complaint of the validator into words."""
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    path = path[: 3 if path and path[0] in NAMED else 2]
    key, kind = ".".join(path), detail["type"]
    if kind == "extra_forbidden":
        noun = "key" if len(path) > 1 else "section"
        if len(detail["loc"]) > len(path):
            return Problem(path, f"there is no key {detail['loc'][-1]!r} in such a table")
        return Problem(path, f"there is no such {noun}", meant_by_unknown_key(path, SECTIONS))
    if kind in {"literal_error", "enum"}:
        return _choice_problem(path, detail)
    if key in {"ppp.mtu", "ppp.mru"} and kind in {"greater_than_equal", "less_than_equal"}:
        return _size_problem(path, detail["input"])
    if kind == "value_error":
        return Problem(path, str(detail["ctx"]["error"]))
    return Problem(path, *_sentences(path, detail))


def _sentences(path: Path_, detail: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong and what was meant, where that hangs on the kind of value alone."""
    kind, shown = detail["type"], _shown(detail["input"])
    if kind in {"float_type", "int_type"}:
        return f"{shown} is not a{' whole' if kind == 'int_type' else ''} number", _unit(path)
    if kind == "too_long":
        return _too_long(path, detail)
    return _SENTENCES.get(kind, (f"{shown} does not fit: {detail['msg'].replace('Input', 'it')}", ""))


_SENTENCES: dict[str, tuple[str, str]] = {
    "model_type": ("this is the name of a section", "Write it in brackets on a line of its own, and its keys below."),
    "too_short": ("the list is empty", "Leave the key out to get the default."),
    "bool_type": ("this is a yes or a no", "Write true or false, without quotes."),
    "tuple_type": ("this is a list", 'Write it in brackets, such as ["..."].'),
}


def _too_long(path: Path_, detail: ErrorDetails) -> tuple[str, str]:
    meant = "A client can be told two servers of a kind (RFC 1877)." if path[-1] in {"dns", "wins"} else ""
    most, given = detail["ctx"]["max_length"], detail["ctx"]["actual_length"]
    return f"these are {given}, and {most} is the most that can be", meant


def _unit(path: Path_) -> str:
    """Say how the number is meant, by the first word that describes the key; the default shows one that makes sense."""
    members = NAMED.get(path[0]) or type(getattr(Config(), path[0]))
    field_ = members.model_fields.get(path[-1])
    counted = str(field_.description).split()[0].lower() if field_ is not None and field_.description else ""
    unit = f" of {counted}" if counted in {"seconds", "octets", "days", "megabytes"} else ""
    default = field_.default if field_ is not None else None
    usual = default if isinstance(default, int | float) and default else 600 if unit else 10
    return f"Write a number{unit} without quotes, such as {usual:g}."


def _choice_problem(path: Path_, detail: ErrorDetails) -> Problem:
    choices = [quoted or number for quoted, number in re.findall(r"'([^']*)'|(\d+)", str(detail["ctx"]["expected"]))]
    meant = did_you_mean(str(detail["input"]), choices)
    return Problem(path, f"{_shown(detail['input'])} is not one of {', '.join(choices)}", meant)


def _size_problem(path: Path_, value: object) -> Problem:
    return Problem(
        path,
        f"{value} is not between {SMALLEST_MTU}, which every host must take, and {LARGEST_MTU}, which Ethernet carries",
        "1400 is the usual choice: 20 octets of IP, 16 of GRE and 8 of PPP and MPPE fit around it on every path.",
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
