"""A firewall in memory: takes the commands that `nft` takes, all or nothing, and tells of itself as nf_tables does."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from holdfast.errors import HostError
from holdfast.network.nf_tables import TableState


@dataclass
class _Table:
    handle: int
    next_handle: int = 0
    dormant: bool = False
    chains: dict[str, tuple[int, str]] = field(default_factory=dict)
    rules: list[tuple[str, int]] = field(default_factory=list)
    sets: dict[str, int] = field(default_factory=dict)
    members: dict[str, dict[bytes, Any]] = field(default_factory=dict)

    def handle_of_next(self) -> int:
        self.next_handle += 1
        return self.next_handle


class FakeFirewall:
    """Stands in for `Kernel.nft` and `Kernel.nf_tables` at once."""

    def __init__(self) -> None:
        self.tables: dict[tuple[str, str], _Table] = {}
        self.transactions = 0
        self.ran: list[list[Any]] = []
        """Ours, not those of others."""
        self.reads = 0
        self.refuses = ""
        self.unseen = False
        self.before_read: Any = lambda: None
        self._handles = 0

    # --- what nft does -------------------------------------------------------------------------------------------

    def run(self, commands: Iterable[Any]) -> None:
        """Execute commands as one transaction."""
        if self.refuses:
            raise HostError(self.refuses, where="firewall")
        wanted = list(commands)
        self.others(wanted)
        self.ran.append(wanted)

    def has_table(self, family: str, name: str) -> bool:
        """Whether a table exists."""
        return (family, name) in self.tables

    def others(self, commands: Iterable[Any]) -> None:
        """The same, done by somebody else."""
        before = deepcopy(self.tables)
        try:
            for command in commands:
                for word, body in command.items():
                    for kind, fields in body.items():
                        getattr(self, f"_{kind}")(word, fields)
        except KeyError as error:
            self.tables = before
            raise HostError(f"nft refuses: there is no {error}", where="firewall") from error
        self.transactions += 1

    def flush(self) -> None:
        """Somebody reloads the firewall."""
        self.tables.clear()
        self.transactions += 1

    def _table(self, word: str, fields: Any) -> None:
        key = (fields["family"], fields["name"])
        if word == "delete":
            del self.tables[key]
        elif key not in self.tables:
            self._handles += 1
            self.tables[key] = _Table(self._handles)
        elif word == "create":
            raise HostError("nft refuses: File exists")

    def _chain(self, _word: str, fields: Any) -> None:
        table = self._of(fields)
        handle = table.chains.get(fields["name"], (table.handle_of_next(), ""))[0]
        table.chains[fields["name"]] = (handle, fields.get("policy", ""))

    def _rule(self, _word: str, fields: Any) -> None:
        table = self._of(fields)
        table.chains[fields["chain"]]
        table.rules.append((fields["chain"], table.handle_of_next()))

    def _set(self, _word: str, fields: Any) -> None:
        table = self._of(fields)
        table.sets[fields["name"]] = table.handle_of_next()
        table.members[fields["name"]] = {}

    def _element(self, word: str, fields: Any) -> None:
        members = self._of(fields).members[fields["name"]]
        for member in fields["elem"]:
            first = IPv4Address(member["prefix"]["addr"] if isinstance(member, dict) else member).packed
            if word == "add":
                members[first] = member
            else:
                del members[first]

    def _of(self, fields: Any) -> _Table:
        return self.tables[fields["family"], fields["table"]]

    # --- what nf_tables tells ------------------------------------------------------------------------------------

    def generation(self) -> int:
        """Return the number of transactions, from 1."""
        if self.unseen:
            raise HostError("the kernel does not tell its firewall: no", where="firewall")
        return self.transactions + 1

    def read(self, family: str, name: str, chains: Sequence[str], sets: Sequence[str]) -> TableState | None:
        """Return what stands of it."""
        self.reads += 1
        self.before_read()
        table = self.tables.get((family, name))
        if table is None:
            return None
        return TableState(
            table.handle,
            table.dormant,
            {one: table.chains[one] for one in chains if one in table.chains},
            frozenset(table.rules),
            {one: table.sets[one] for one in sets if one in table.sets},
            {one: frozenset(table.members[one]) for one in sets if one in table.sets},
        )
