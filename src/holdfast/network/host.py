"""The changes that Holdfast makes on its host, and the promise to take back exactly those.

Every change is in the journal before it is made, so that a process that was killed leaves a list behind which
the next one works off. All methods block for as long as the kernel, `nft` and the disk take (tens of
milliseconds): call them through `asyncio.to_thread` from an event loop.
"""

import contextlib
from collections.abc import Collection, Iterable
from pathlib import Path

from holdfast.errors import HostError
from holdfast.network.changes import AddRoute, AddTable, AlreadySoError, Change, SetSysctl
from holdfast.network.journal import Entry, Journal
from holdfast.network.kernel import Kernel
from holdfast.network.nft import Statement
from holdfast.network.tables import Lost, Tables


class HostNetwork:
    """What one gateway or one dialer has changed, kept in its state directory."""

    def __init__(self, state_dir: Path, *, kernel: Kernel | None = None) -> None:
        self._kernel = kernel or Kernel()
        self._journal = Journal(state_dir)
        self._entries: list[Entry] | None = None
        self._tables = Tables(self._kernel)

    def apply(self, plan: Iterable[Change]) -> list[str]:
        """Make the changes in order and return what was done, one phrase a change.

        What is already so is left alone and will not be undone. What a killed predecessor left is undone
        first. HostError when one fails; those of this call are undone by then.
        """
        with self._kernel.netlink.session():
            self._open()
            held = {entry.change for entry in self._held()}
            wanted = [change for change in dict.fromkeys(plan) if change not in held]
            seen = [(change, change.inspect(self._kernel)) for change in wanted]
            return self._make([Entry(change, memory) for change, memory in seen if memory is not None])

    def _make(self, entries: list[Entry]) -> list[str]:
        held = self._held()
        if held:
            self._journal.append(entries)
        else:
            self._journal.write(self._kernel.boot_identity(), entries)
        held.extend(entries)
        made: list[Entry] = []
        for index, entry in enumerate(entries):
            try:
                entry.change.apply(self._kernel)
                made.append(entry)
                if isinstance(entry.change, AddTable):
                    self._tables.made(entry.change)
            except AlreadySoError:
                self._forget([entry])
            except HostError:
                self._forget(entries[index:])
                self._take_back(made)
                raise
        return [str(entry.change) for entry in made]

    def filter(self, commands: Iterable[Statement]) -> None:
        """Change the members of sets in a table that was made here. They go with the table, so no journal has them.

        HostError when nft refuses; nothing is changed then.
        """
        self._tables.run(commands)

    def remake(self, table: AddTable) -> None:
        """Put this table in the place of a predecessor's that was taken over, in one step: nothing slips through."""
        for index, entry in enumerate(self._held()):
            if entry.change == table:
                self._kernel.nft.run([*table.removal(), *table.statements])
                self._held()[index] = Entry(table, entry.memory)
                self._tables.made(table)

    def restore_tables(self) -> list[Lost]:
        """Put back what somebody took out of the firewall tables that were made here; return what that was.

        Costs a fraction of a millisecond while nobody changes the firewall. HostError when it cannot be seen.
        """
        return self._tables.look()

    def undo(self, changes: Iterable[Change]) -> list[str]:
        """Undo some of the changes that were made, last first; return what was undone."""
        wanted = set(changes)
        return self._take_back([entry for entry in self._held() if entry.change in wanted])

    def restore_routes(self, interface: str) -> list[str]:
        """Make again the routes that went when somebody took their interface down, once it is up; return which.

        The first of them shows whether any went. HostError when the kernel refuses one.
        """
        held = [entry.change for entry in self._held() if isinstance(entry.change, AddRoute)]
        routes = [change for change in held if change.route.interface == interface]
        if not routes or not routes[0].is_lost(self._kernel):
            return []
        lost = [change for change in routes if change.is_lost(self._kernel)]
        for change in lost:
            with contextlib.suppress(AlreadySoError):
                change.apply(self._kernel)
        return [str(change) for change in lost]

    def restore_settings(self, settings: Iterable[SetSysctl]) -> list[str]:
        """Make kernel settings again that somebody else has changed; return which. HostError when the kernel refuses.

        Nothing is remembered: what is taken back at the end is what was when they were made first.
        """
        lost = [change for change in settings if self._kernel.sysctl.read(change.key) != change.value]
        for change in lost:
            change.apply(self._kernel)
        return [str(change) for change in lost]

    def rollback(self) -> list[str]:
        """Undo everything, last first; return what was undone. HostError tells what could not be."""
        undone = self._take_back(list(self._held()))
        self._entries = None
        self._journal.release()
        return undone

    def recover(self, keep: Collection[Change] = ()) -> list[str]:
        """Undo what a killed process left in this state directory; return what was undone.

        What is in `keep` is taken over as it stands. HostError when that process still lives. Nothing left is no
        error.
        """
        if self._entries is not None:
            return []
        undone = self._open(keep)
        if not self._held():
            self._entries = None
            self._journal.release()
        return undone

    def _held(self) -> list[Entry]:
        self._open()
        return self._entries if self._entries is not None else []

    def holds(self, change: Change) -> bool:
        """Whether this change is made and will be undone."""
        return any(entry.change == change for entry in self._entries or ())

    def _open(self, keep: Collection[Change] = ()) -> list[str]:
        if self._entries is not None:
            return []
        self._journal.own()
        try:
            identity = self._kernel.boot_identity()
            self._entries = self._journal.read(identity)
            self._journal.write(identity, self._entries)
            return self._take_back([entry for entry in self._entries if entry.change not in keep])
        except HostError:
            self._entries = None
            self._journal.release()
            raise

    def _take_back(self, entries: list[Entry]) -> list[str]:
        undone, failed = self._undo(entries)
        stuck = [entry for entry, _ in failed]
        self._forget([entry for entry in entries if entry not in stuck])
        if failed:
            raise _stuck(failed)
        return undone

    def _undo(self, entries: list[Entry]) -> tuple[list[str], list[tuple[Entry, HostError]]]:
        undone: list[str] = []
        failed: list[tuple[Entry, HostError]] = []
        with self._kernel.netlink.session():
            for entry in reversed(entries):
                try:
                    if entry.change.undo(self._kernel, entry.memory):
                        undone.append(str(entry.change))
                except HostError as error:
                    failed.append((entry, error))
        return undone, failed

    def _forget(self, entries: list[Entry]) -> None:
        if entries:
            held = self._held()
            gone = {id(entry) for entry in entries}
            held[:] = [entry for entry in held if id(entry) not in gone]
            for entry in entries:
                if isinstance(entry.change, AddTable):
                    self._tables.forget(entry.change)
            self._journal.write(self._kernel.boot_identity(), held)


def _stuck(failed: list[tuple[Entry, HostError]]) -> HostError:
    what = "; ".join(f"{entry.change} ({error.what})" for entry, error in failed)
    first = failed[0][1]
    return HostError(f"could not undo: {what}", where="network", fix=first.fix or "undo it by hand, or start again")
