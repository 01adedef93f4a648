"""Sessions whose time is over and whose RADIUS server wants to be asked again (Termination-Action, RFC 2865 5.29).

The client proves itself once more while its traffic goes on. A yes brings fresh limits, counted from then; a no ends
the session; while no server answers, the session goes on, and is asked for again.
"""

import asyncio
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from holdfast.errors import HostError
from holdfast.events import InternalFault, SessionRenewed
from holdfast.gateway.subscriber import Renewal
from holdfast.policy.effective import Effective

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

AGAIN = 60.0
"""Seconds after which a session that could not be judged is asked for again."""
FIXED = ("address", "client_wish", "pool", "routes", "dns", "wins", "mppe", "mppe_bits")
"""What was agreed with the client when the session came up, and cannot change under it."""


class RenewalDesk:
    """Lets clients prove themselves again."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, subscriber: "Subscriber", now: float) -> bool:
        """Ask the client; return whether it can be asked (PAP and EAP have no way that all clients know)."""
        subscriber.renewal = replace(subscriber.renewal, asking=True)
        asked = subscriber.session.challenge_again(now)
        if not asked:
            subscriber.renewal = replace(subscriber.renewal, asking=False)
        self._gateway.drive(subscriber)
        return asked

    def granted(self, subscriber: "Subscriber", fresh: Effective) -> Effective:
        """RADIUS said yes; return what holds from now on. The session's limits count from now."""
        now, counters = self._gateway.now(), self._gateway.counters(subscriber)
        subscriber.renewal = Renewal(now, bytes_in=counters.bytes_in, bytes_out=counters.bytes_out)
        subscriber.warned = False
        found = kept(subscriber.effective, fresh)
        server = subscriber.grant.server if subscriber.grant else ""
        renewed = SessionRenewed(server, subscriber.user, found.policy.session_timeout)
        self._gateway.report(renewed, subscriber.context())
        if found.policy.filter != subscriber.filtered:
            task = self._gateway.loop.create_task(self._refilter(subscriber, found.policy.filter))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return found

    def postponed(self, subscriber: "Subscriber") -> None:
        """No server answered: the session goes on, and the client is asked again after a while."""
        subscriber.session.withdraw_challenge()
        subscriber.renewal = replace(subscriber.renewal, not_before=self._gateway.now() + AGAIN, asking=False)
        self._gateway.patrol.look_soon(subscriber)

    def stop(self) -> None:
        """Give up what is still being done."""
        for task in self._tasks:
            task.cancel()

    async def _refilter(self, subscriber: "Subscriber", name: str) -> None:
        try:
            await self._gateway.addressing.refilter(subscriber, name)
        except HostError as error:
            self._gateway.report(InternalFault("filter", error.text()), subscriber.context())


def kept(before: Effective, fresh: Effective) -> Effective:
    """Return fresh settings, with what cannot change of a session that is up as it was before."""
    held = {key: getattr(before.policy, key) for key in FIXED}
    changed = [key for key, value in held.items() if getattr(fresh.policy, key) != value]
    origins = {**fresh.origins, **{key: before.origin(key) for key in FIXED}}
    told = tuple(f"{fresh.origin(key)}: {key} stays as it was when the session came up" for key in changed)
    return Effective(replace(fresh.policy, **held), MappingProxyType(origins), (*fresh.unusable, *told))
