"""Who may ask what over the gateway's control socket: `[control]`, kept by the kernel and by the gateway.

The kernel lets those connect who are listed (the socket's access control list, and the right to pass the state
directory). What one of them may ask is judged here at each request, so that a changed list holds at once for those who
are connected.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

from holdfast.config import Config
from holdfast.errors import HoldfastError
from holdfast.events import AdminActed, Event, SettingUnusable
from holdfast.local_api import Peer, caller
from holdfast.policy.access import Access, Accounts, Role, find_accounts, groups_of
from holdfast.policy.acl import EXECUTE, READ, WRITE, share

VIEW = frozenset({"status", "sessions", "why", "events"})
OPERATE = frozenset({"disconnect", "record", "trace", "drain", "reload", "unlock"})
OWN = frozenset({"log-purge", "log-forget", "log-exported", "log-resolved", "user-changed"})
"""Verbs that take something away for good, or that note what was done to files which only their owner may write."""
GRADED = frozenset({"events"})
"""Verbs that answer an operator more than a viewer: `role_of_caller` tells."""
WORDS = {Role.NOBODY: "nothing here", Role.VIEWER: "only look (a viewer)", Role.OPERATOR: "look and act (an operator)"}
PAUSE = 1.0
"""Seconds between two events about refusals: who asks in a loop fills no log."""


_role: ContextVar[Role] = ContextVar("role", default=Role.VIEWER)


def role_of_caller() -> Role:
    """Return what the account may do that made the request which is being answered; outside of one, the least."""
    return _role.get()


class ControlGuard:
    """Judges requests. `report` takes events, `now` is a clock in seconds that never goes back."""

    def __init__(self, socket: Path, report: Callable[[Event], None], now: Callable[[], float]) -> None:
        self._socket, self._report, self._now = socket, report, now
        self._access = Access()
        self._next_report = float("-inf")
        self._unreported = 0

    def apply(self, config: Config) -> None:
        """Let in whom the configuration lists, and nobody else. HostError when the file system cannot keep that.

        A name that this machine has not is told to the log and gives no right.
        """
        found: list[Accounts] = []
        for key in ("viewers", "operators"):
            accounts, unknown = find_accounts(getattr(config.control, key))
            found.append(accounts)
            for name in unknown:
                kind = "group" if name.startswith("@") else "user"
                self._report(SettingUnusable(f"control.{key}", name, "file", f"this machine has no such {kind}"))
        access = Access(*found)
        every = access.everyone
        share(self._socket.parent, every.users, every.groups, EXECUTE)
        share(self._socket, every.users, every.groups, READ | WRITE)
        self._access = access

    async def check(self, verb: str, peer: Peer) -> None:
        """Return when this account may ask that; HoldfastError, and an event, when not."""
        access = self._access
        role = access.role(peer.uid)
        needed = needed_for(verb)
        if role < (Role.OPERATOR if verb in GRADED else needed) and access.everyone.groups:
            role = max(role, access.role(peer.uid, await asyncio.to_thread(groups_of, peer.uid, peer.gid)))
        if role < needed:
            self._refused(verb)
            raise HoldfastError(
                f"uid {peer.uid} may not ask for {verb!r}: it may {WORDS[role]}",
                where=str(self._socket),
                fix=_WHO_MAY[needed],
            )
        _role.set(role)

    def _refused(self, verb: str) -> None:
        now = self._now()
        if now < self._next_report:
            self._unreported += 1
            return
        more = f" (and {self._unreported} requests before it)" if self._unreported else ""
        self._next_report, self._unreported = now + PAUSE, 0
        self._report(AdminActed("refused", f"{verb}{more}", caller()))


def needed_for(verb: str) -> Role:
    """Return the least role that may ask for a verb; one that nobody placed is the owner's."""
    return Role.VIEWER if verb in VIEW else Role.OPERATOR if verb in OPERATE else Role.OWNER


_WHO_MAY = {
    Role.VIEWER: "Those may who are listed in control.viewers or control.operators, and root.",
    Role.OPERATOR: "Those may who are listed in control.operators, and root.",
    Role.OWNER: "Only root and the user that the gateway runs as may.",
}
