"""Firewall tables that were made here: what should stand in them, what somebody took out, and putting it back.

`nft flush ruleset`, which is how many firewalls are reloaded, takes every table of everybody. What should stand is
remembered here, with the members that came into sets since; what does stand the kernel tells.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from holdfast.errors import HostError
from holdfast.network.changes import AddTable
from holdfast.network.kernel import Kernel
from holdfast.network.nf_tables import TableState
from holdfast.network.nft import Statement

TRIES = 3
"""Looks at a table in the midst of other people's transactions before it is believed that something is missing."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Something was taken out of a table of ours. `refusal` says why it could not be put back, empty: it was.

    `open_seconds` is how long it was missing at most: since it was last seen to stand. `generations` are those of the
    firewall between which it went.
    """

    table: AddTable
    what: str
    open_seconds: float
    generations: tuple[int, int]
    refusal: str = ""


class Tables:
    """The tables of one `HostNetwork`. Not for several threads at a time; every method blocks."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._held: dict[AddTable, _Held] = {}
        self._generation = 0
        self._whole_at = 0.0
        self._untold: list[Lost] = []

    def made(self, table: AddTable) -> None:
        """This table was made just now, with these statements."""
        if not self._held:
            self._whole_at = time.monotonic()
        held = self._held[table] = _Held(table)
        self._generation = 0  # whether somebody interfered, the next look tells
        with contextlib.suppress(HostError):  # and whether anything can be seen at all
            held.note(self._read(held), undisturbed=False)

    def forget(self, table: AddTable) -> None:
        """This table is ours no more."""
        self._held.pop(table, None)

    def run(self, commands: Iterable[Statement]) -> None:
        """Change members of sets, in one step. HostError when nft refuses: then nothing is changed.

        Where the table was taken away meanwhile, it is put back as it should be after the change.
        """
        wanted = list(commands)
        before = self._now()
        try:
            self._kernel.nft.run(wanted)
        except HostError:
            if not self._put_back_with(wanted):
                raise
            return
        for held in self._held.values():
            held.fold(wanted)
        if before == self._generation and self._now() == before + 1:
            self._generation = before + 1  # nobody but us: there is nothing to look at

    def look(self) -> list[Lost]:
        """Look whether all stands, put back what does not, and tell what that was. HostError: it cannot be seen."""
        told, self._untold = self._untold, []
        return told + self._look()

    def _look(self) -> list[Lost]:
        if not self._held:
            return []
        now, generation = time.monotonic(), self._kernel.nf_tables.generation()
        if generation == self._generation:
            self._whole_at = now
            return []
        missing = self._missing()
        if not missing:
            self._generation, self._whole_at = generation, now
            return []
        return self._restore(missing, (self._generation, generation))

    def _now(self) -> int:
        """Return the generation of now, or one that never was where it cannot be seen."""
        try:
            return self._kernel.nf_tables.generation() if self._held else -1
        except HostError:
            return -1

    def _missing(self) -> dict[AddTable, str]:
        """Return what is missing, by table; believed when nobody else changed anything during a look."""
        missing: dict[AddTable, str] = {}
        for _ in range(TRIES):
            before = self._kernel.nf_tables.generation()
            seen = {held.table: held.missing(self._read(held)) for held in self._held.values()}
            missing = {table: what for table, what in seen.items() if what}
            if not missing or self._kernel.nf_tables.generation() == before:
                break
        return missing

    def _restore(self, missing: dict[AddTable, str], generations: tuple[int, int]) -> list[Lost]:
        """Make all that is missing again, in one transaction."""
        before, refusal = self._kernel.nf_tables.generation(), ""
        try:
            self._kernel.nft.run([command for table in missing for command in self._held[table].anew()])
        except HostError as error:
            refusal = error.sentence()
        now = time.monotonic()
        lost = [Lost(table, what, now - self._whole_at, generations, refusal) for table, what in missing.items()]
        if not refusal:
            states = {table: self._read(self._held[table]) for table in missing}
            undisturbed = self._kernel.nf_tables.generation() == before + 1
            for table, state in states.items():
                self._held[table].note(state, undisturbed=undisturbed)
            self._whole_at = now
            if undisturbed and before == generations[1]:
                self._generation = before + 1
        return lost

    def _put_back_with(self, commands: list[Statement]) -> bool:
        """Put back what somebody took, changed by `commands`; False when nothing was taken, or it cannot be."""
        generations = (self._generation, self._kernel.nf_tables.generation())
        missing = self._missing()
        if not missing:
            return False
        before = {table: held.copied() for table, held in self._held.items()}
        for held in self._held.values():
            held.fold(commands)
        lost = self._restore(missing, generations)
        if lost[0].refusal:
            for table, members in before.items():
                self._held[table].members = members
            return False
        self._untold += lost
        return True

    def _read(self, held: "_Held") -> TableState | None:
        table = held.table
        return self._kernel.nf_tables.read(table.family, table.name, list(held.chains), list(held.members))


_Members = dict[str, dict[bytes, Any]]
"""By set and first address, as nft writes them."""


@dataclass(slots=True)
class _Held:
    """One table: what was asked for, the members of its sets now, and what the kernel made of it."""

    table: AddTable
    chains: dict[str, str] = field(init=False)
    """Name -> policy, empty where it has none."""
    rules: Counter[str] = field(init=False)
    """How many there are, by chain."""
    members: _Members = field(init=False)
    seen: TableState | None = None
    odd: bool = False
    """Whether this kernel tells of the table otherwise than it was asked for: then only what goes away counts."""

    def __post_init__(self) -> None:
        made = [
            body for command in self.table.statements for word, body in command.items() if word in ("add", "create")
        ]
        self.chains = {body["chain"]["name"]: body["chain"].get("policy", "") for body in made if "chain" in body}
        self.rules = Counter(body["rule"]["chain"] for body in made if "rule" in body)
        self.members = {body["set"]["name"]: {} for body in made if "set" in body}
        self.fold(self.table.statements)

    def fold(self, commands: Iterable[Statement]) -> None:
        """Remember which members come and go."""
        for word, body in ((word, body) for command in commands for word, body in command.items()):
            element = body.get("element") if isinstance(body, dict) else None
            if element is None or (element["family"], element["table"]) != (self.table.family, self.table.name):
                continue
            members = self.members[element["name"]]
            for member in element["elem"]:
                if word == "add":
                    members[_first(member)] = member
                else:
                    members.pop(_first(member), None)

    def copied(self) -> _Members:
        """Return the members as they are now."""
        return {name: dict(members) for name, members in self.members.items()}

    def note(self, state: TableState | None, *, undisturbed: bool) -> None:
        """The table was made, and this is what stands there; `undisturbed`: nobody else did anything in between."""
        short = "" if state is None else self._short(state)
        self.odd = bool(short) and undisturbed
        self.seen = state if self.odd or not short else None

    def missing(self, state: TableState | None) -> str:
        """Return in words what was taken out, empty when all stands."""
        seen = self.seen
        if state is None:
            return "the whole table"
        if seen is None or state.handle != seen.handle:
            return "the whole table: another one of its name stands there"
        chains = [name for name, (handle, _) in seen.chains.items() if state.chains.get(name, (0, ""))[0] != handle]
        if chains or seen.rules - state.rules:
            gone = Counter(chain for chain, _ in seen.rules - state.rules)
            words = [f"chain {name}" for name in chains]
            return ", ".join(words + [f"{_count(gone[name], 'rule')} of chain {name}" for name in sorted(gone)])
        return "" if self.odd else self._short(state)

    def _short(self, state: TableState) -> str:
        """Return what the table has too little of, whatever stood in it before."""
        if state.dormant:
            return "the table is there and switched off (dormant)"
        words = [f"chain {name}" for name in self.chains if name not in state.chains]
        words += [
            f"the policy of chain {name}"
            for name, policy in self.chains.items()
            if name in state.chains and state.chains[name][1] != policy
        ]
        stand = Counter(chain for chain, _ in state.rules)
        words += [f"rules of chain {name}" for name, count in self.rules.items() if stand[name] < count]
        words += [f"set {name}" for name in self.members if name not in state.sets]
        for name, members in self.members.items():
            gone = members.keys() - state.members.get(name, frozenset())
            if gone and name in state.sets:
                words.append(f"{_count(len(gone), 'member')} of set {name}")
        return ", ".join(words)

    def anew(self) -> list[Statement]:
        """Return the commands that put the table in the place of what is left of it, in one step."""
        bare = [command for command in self.table.statements if "element" not in command.get("add", {})]
        held = {"family": self.table.family, "table": self.table.name}
        full = [(name, list(members.values())) for name, members in self.members.items() if members]
        return [*self.table.removal(), *bare, *({"add": {"element": {**held, "name": n, "elem": m}}} for n, m in full)]


def _first(member: Any) -> bytes:
    """Return the first address of a member of a set."""
    return IPv4Address(member["prefix"]["addr"] if isinstance(member, dict) else member).packed


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
