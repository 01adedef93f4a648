"""What a session gets on its way into the network: an address, networks behind it, a filter; all taken back later."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Network, ip_address, ip_network
from typing import TYPE_CHECKING

from holdfast.errors import DisconnectReason, HostError, StateError
from holdfast.events import AddressExhausted, InternalFault, SettingUnusable
from holdfast.gateway.client_routes import ClientRoutes
from holdfast.policy.addresses import AddressPool
from holdfast.policy.ranges import AddressRange
from holdfast.policy.session_records import SessionNotes, SessionRecord
from holdfast.ppp.commands import AddressAssignment, AddressRefusal, AssignAddress

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber


class AddressDesk:
    """Answers every `AssignAddress` of a gateway, at once or when the session's filter stands."""

    def __init__(
        self,
        gateway: "Gateway",
        pool: AddressPool,
        records: SessionNotes,
        routes: ClientRoutes,
    ) -> None:
        self._gateway, self._pool, self._records = gateway, pool, records
        self._routes = routes
        self._behind: dict[IPv4Network, str] = {}
        """Networks behind clients, each with its session."""
        self._tasks: set[asyncio.Task[None]] = set()

    def use(self) -> dict[str, int]:
        """Return how many addresses there are, and how many are in use."""
        return {"used": len(self._pool), "size": self._pool.size}

    def stop(self) -> None:
        """Give up what is still being prepared."""
        for task in self._tasks:
            task.cancel()

    # --- coming --------------------------------------------------------------------------------------------

    def take(self, subscriber: "Subscriber", command: AssignAddress) -> None:
        """Choose, prepare the host, and answer the session. It is driven by whoever asked, or later from here."""
        answer = self._choose(subscriber, command)
        if isinstance(answer, AddressRefusal) or not subscriber.policy.filter:
            subscriber.session.address_assigned(answer, self._gateway.now())
            return
        task = self._gateway.loop.create_task(self._behind_filter(subscriber, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _behind_filter(self, subscriber: "Subscriber", answer: AddressAssignment) -> None:
        """No packet may pass before the filter stands."""
        refusal = None
        try:
            await self.refilter(subscriber, subscriber.policy.filter)
        except HostError as error:
            self._gateway.report(InternalFault("filter", error.text()), subscriber.context())
            refusal = AddressRefusal(f"its filter cannot be set: {error.what}", DisconnectReason.INTERNAL_ERROR)
        if subscriber.session.session_id in self._gateway.subscribers:
            with self._gateway.guarded(subscriber):
                subscriber.session.address_assigned(refusal or answer, self._gateway.now())
            self._gateway.drive(subscriber)

    async def refilter(self, subscriber: "Subscriber", name: str) -> None:
        """Let another filter hold, none without a name. HostError when the host refuses: then the old one holds."""
        old, subscriber.filtered = subscriber.filtered, name
        try:
            await self._routes.refilter(self._inner(subscriber), old, name)
        except HostError:
            subscriber.filtered = old
            raise

    def _choose(self, subscriber: "Subscriber", command: AssignAddress) -> AddressAssignment | AddressRefusal:
        policy = subscriber.policy
        dedicated = tuple(map(AddressRange.parse, policy.address))
        wish = ip_address(command.wish) if command.wish else None
        session, pool = subscriber.session.session_id, policy.pool
        try:
            address = self._pool.allocate(session, command.user, dedicated, wish, pool, may_choose=policy.client_wish)
        except StateError as error:
            self._gateway.report(InternalFault("address pool", error.text()), subscriber.context())
            return AddressRefusal(error.what, DisconnectReason.INTERNAL_ERROR)
        if address is None:
            detail = self._pool.why_none(command.user, dedicated, pool)
            self._gateway.report(AddressExhausted(command.user, detail), subscriber.context())
            return AddressRefusal(detail)
        subscriber.address = str(address)
        self._routes.add(address)
        self._take_networks(subscriber)
        self._write_down(subscriber)
        return AddressAssignment(self._gateway.settings.local_address, str(address), policy.dns, policy.wins)

    # --- networks behind a client --------------------------------------------------------------------------

    def _take_networks(self, subscriber: "Subscriber") -> None:
        """Let networks lead to the session, those that belong to nobody else."""
        taken = []
        for text in subscriber.policy.routes:
            network = IPv4Network(text)
            why = self._why_not(network, subscriber)
            if why:
                origin = subscriber.effective.origin("routes")
                self._gateway.report(SettingUnusable("routes", text, origin, why), subscriber.context())
                continue
            self._behind[network] = subscriber.session.session_id
            taken.append(text)
            self._routes.add_network(text)
        subscriber.networks = tuple(taken)
        subscriber.carrier.set_networks(subscriber.networks)

    def _why_not(self, network: IPv4Network, subscriber: "Subscriber") -> str:
        """Say why a network cannot lie behind a client; empty when it can."""
        for other, session in self._behind.items():
            if network.overlaps(other):
                return f"{other} lies behind session {session} already"
        settings = self._gateway.settings
        own = (settings.local_address, subscriber.connection.server, subscriber.connection.client)
        held = [text for text in own if ip_address(text) in network]
        if held:
            return f"{held[0]} is in it, which is an end of this tunnel or the gateway's own"
        pool = next((part for part in self._pool.ranges() if _meets(part, network)), None)
        return f"it meets the pool range {pool}" if pool is not None else ""

    # --- going ---------------------------------------------------------------------------------------------

    def release(self, subscriber: "Subscriber") -> None:
        """Take back everything."""
        session = subscriber.session.session_id
        self._try_database(subscriber, lambda: self._pool.release(session))
        if not subscriber.address:
            return
        self._routes.remove(ip_address(subscriber.address))
        for text in subscriber.networks:
            del self._behind[IPv4Network(text)]
            self._routes.remove_network(text)
        if subscriber.filtered:
            self._routes.drop_filter(self._inner(subscriber), subscriber.filtered)
        self._try_database(subscriber, lambda: self._records.remove(session))

    @staticmethod
    def _inner(subscriber: "Subscriber") -> tuple[str, ...]:
        """Everything that the client may send from."""
        address = ip_address(subscriber.address)
        beyond = [text for text in subscriber.networks if address not in ip_network(text)]
        around = [text for text in subscriber.networks if address in ip_network(text)]
        return (*(around or [subscriber.address]), *beyond)

    def _write_down(self, subscriber: "Subscriber") -> None:
        """Leave a note for a successor, should this process be killed while the session is open."""
        record = SessionRecord(
            subscriber.session.session_id,
            subscriber.user,
            subscriber.local_call_id,
            subscriber.address,
            subscriber.since.timestamp(),
        )
        self._try_database(subscriber, lambda: self._records.add(record))

    def _try_database(self, subscriber: "Subscriber", action: Callable[[], object]) -> None:
        """A database that fails must not end a session that works; the log says what failed."""
        try:
            action()
        except StateError as error:
            self._gateway.report(InternalFault("state database", error.text()), subscriber.context())


def _meets(part: AddressRange, network: IPv4Network) -> bool:
    return part.overlaps(AddressRange(network.network_address, network.broadcast_address))
