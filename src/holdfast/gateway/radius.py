"""RADIUS in the gateway: which servers there are, and clients judged by them."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.config import Config
from holdfast.config.radius_section import WhenDown
from holdfast.config.radius_server import ACCOUNTING_PORT, RadiusServer
from holdfast.errors import ConfigError, DisconnectReason, StateError
from holdfast.events import Direction, Event, InternalFault, RadiusFailed, RadiusPacketSeen
from holdfast.gateway.radius_certificates import TLS_SECRET, tls_ways
from holdfast.gateway.radius_client import Address, RadiusClient
from holdfast.gateway.renewal import AGAIN
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.files import readable_by_others
from holdfast.policy.radius_cache import RadiusCache
from holdfast.policy.radius_eap import next_request
from holdfast.policy.radius_login import Judgement, Place, judge, login_request
from holdfast.policy.store import Store
from holdfast.ppp.authentication_types import ChapMd5Exchange, EapExchange, Exchange, Verdict
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.radius.attributes import Attribute, in_words
from holdfast.radius.codes import Code, code_name
from holdfast.radius.exchange_types import ExchangeConfig, Outcome, ServerConfig
from holdfast.secret import Secret

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber


TOO_LONG = "a password of more than 128 octets, which RADIUS cannot carry (RFC 2865 section 5.2)"
SCOUT_INTERVAL = 5.0
"""Seconds after which a call is let through again while no server answers."""


class RadiusDesk:
    """Answers claims from RADIUS, each in a task of its own: a server that thinks long holds up one client only."""

    def __init__(
        self,
        gateway: "Gateway",
        config: Config,
        client: RadiusClient,
        local: Authenticator,
        cache: RadiusCache | None = None,
    ) -> None:
        """`cache`: who may come back while no server answers."""
        self._gateway, self._client, self._local, self._cache = gateway, client, local, cache
        self._local_when_down = config.radius.when_down is WhenDown.LOCAL
        self._turn_away = config.radius.when_down is WhenDown.TURN_AWAY
        self._next_scout = float("-inf")
        self._nas_identifier = nas_identifier(config)
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, subscriber: "Subscriber", exchange: Exchange, claim: int) -> None:
        """Find out what RADIUS says about a claim, and tell the desk for logins."""
        task = self._gateway.loop.create_task(self._answer(subscriber, exchange, claim))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def turns_away(self) -> bool:
        """Whether a call is refused now, because nobody could judge its login. One in a while is let through.

        It finds out whether a server is back; many know no other question than a login.
        """
        now = self._gateway.now()
        if not self._turn_away or not self._client.silent():
            return False
        if now < self._next_scout:
            return True
        self._next_scout = now + SCOUT_INTERVAL
        return False

    def stop(self) -> None:
        """Give up what is still being asked."""
        for task in self._tasks:
            task.cancel()
        self._client.close()

    async def _answer(self, subscriber: "Subscriber", exchange: Exchange, claim: int) -> None:
        with self._gateway.guarded(subscriber):
            await self._judge(subscriber, exchange, claim)
        self._gateway.drive(subscriber)

    async def _judge(self, subscriber: "Subscriber", exchange: Exchange, claim: int) -> None:
        renewing = subscriber.renewal.asking
        state = subscriber.grant.state if renewing and subscriber.grant else b""
        request = login_request(exchange, place_of(subscriber, self._nas_identifier), state)
        if request is None:
            refusal = Verdict.reject(retry=True, detail=TOO_LONG)
            self._gateway.logins.verified(subscriber, exchange, refusal, claim)
        else:
            self._trace(subscriber, Direction.SENT, "", request.code, request.attributes)
            outcome = await self._client.ask(request)
            if outcome.packet is not None:
                packet = outcome.packet
                self._trace(subscriber, Direction.RECEIVED, outcome.server, packet.code, packet.attributes)
            again = next_request(outcome) if isinstance(exchange, EapExchange) else None
            if again is not None:
                self._gateway.logins.go_on(subscriber, again, claim)
                return
            judgement = judge(outcome, exchange)
            down = outcome.packet is None
            self._complain(subscriber, exchange, outcome.server, judgement, down=down)
            if down and renewing:
                self._gateway.renewals.postponed(subscriber)
            elif down and self._local_when_down:
                verdict = self._stand_in(subscriber, exchange, self._local.verify(exchange))
                self._gateway.logins.verified(subscriber, exchange, verdict, claim)
            elif down and self._cache is not None:
                self._come_back(subscriber, exchange, claim, self._cache)
            else:
                if judgement.verdict.accepted and subscriber.claim == claim:
                    subscriber.grant = judgement.grant
                self._gateway.logins.verified(subscriber, exchange, judgement.verdict, claim, judgement.layer)
                self._gateway.drive(subscriber)
                await self._keep(subscriber, exchange, judgement, outcome)

    def _come_back(self, subscriber: "Subscriber", exchange: Exchange, claim: int, cache: RadiusCache) -> None:
        """No server answers: whoever was let in lately may come back, if they can prove themselves to us."""
        try:
            known = cache.recall(exchange.user)
        except StateError as error:
            self._gateway.report(InternalFault("RADIUS cache", error.text()), subscriber.context())
            known = None
        if known is None:
            verdict = Verdict.unavailable("no RADIUS server answers, and this user was not let in lately")
        elif known.nt_hash is not None and not isinstance(exchange, ChapMd5Exchange):
            judged = verify(exchange, StoredSecret.from_nt_hash(known.nt_hash))
            verdict = self._stand_in(subscriber, exchange, judged, known=True)
        else:
            verdict = self._stand_in(subscriber, exchange, self._local.verify(exchange))
        if known is not None and verdict.accepted and subscriber.claim == claim:
            subscriber.grant = known.grant
        self._gateway.logins.verified(subscriber, exchange, verdict, claim, known.layer if known else None)

    def _stand_in(
        self, subscriber: "Subscriber", exchange: Exchange, verdict: Verdict, *, known: bool = False
    ) -> Verdict:
        """Take the verdict of somebody who stands in for the servers: a yes is one, a no is not the servers'.

        They may know a user whom nobody knows here, or another password, so the client is not told that its password
        is wrong. A guess at a password that is known here counts as one all the same.
        """
        told = verdict.reason is not DisconnectReason.AUTH_FAILED and not isinstance(exchange, EapExchange)
        if verdict.accepted or told:
            return verdict
        if known or verdict.user:
            self._gateway.logins.count_failure(subscriber, exchange, verdict)
        return Verdict.unavailable(f"no RADIUS server answers, and here: {verdict.detail}", user=verdict.user)

    async def _keep(self, subscriber: "Subscriber", exchange: Exchange, judgement: Judgement, outcome: Outcome) -> None:
        """Remember whom a server let in, and forget whom one refuses. No client waits for the disk."""
        if self._cache is None or outcome.packet is None:
            return
        try:
            if judgement.verdict.accepted:
                await asyncio.to_thread(self._cache.remember, exchange, judgement.layer, judgement.grant)
            elif outcome.packet.code == Code.ACCESS_REJECT and not isinstance(exchange, EapExchange):
                await asyncio.to_thread(self._forget_if_proven, exchange, self._cache)
        except StateError as error:
            self._gateway.report(InternalFault("RADIUS cache", error.text()), subscriber.context())

    @staticmethod
    def _forget_if_proven(exchange: Exchange, cache: RadiusCache) -> None:
        """A stranger's wrong password must not cost the user the way back; the right one refused must."""
        known = cache.recall(exchange.user)
        if known is None:
            return
        if known.nt_hash is None or verify(exchange, StoredSecret.from_nt_hash(known.nt_hash)).accepted:
            cache.forget(exchange.user)

    def state(self) -> list[dict[str, Any]]:
        """Return how each server is, as plain data."""
        return self._client.state()

    def _trace(
        self, subscriber: "Subscriber", direction: Direction, server: str, code: int, attributes: Iterable[Attribute]
    ) -> None:
        if subscriber.session.trace:
            seen = RadiusPacketSeen(direction, server, code_name(code), in_words(attributes))
            self._gateway.report(seen, subscriber.context())

    def _complain(
        self, subscriber: "Subscriber", exchange: Exchange, server: str, judgement: Judgement, *, down: bool
    ) -> None:
        if judgement.trouble:
            fallback = "asked the local users" if down and self._local_when_down else ""
            if down and self._cache is not None:
                fallback = "looked among those who were let in lately"
            if down and subscriber.renewal.asking:
                fallback = f"the session goes on, and is asked for again in {AGAIN:g} s"
            failed = RadiusFailed(server, exchange.user, judgement.trouble, fallback)
            self._gateway.report(failed, subscriber.context())


def use_radius(gateway: "Gateway", config: Config, local: Authenticator, store: Store | None = None) -> None:
    """Let RADIUS judge clients if the configuration names servers. ConfigError when a secret is missing.

    `store` keeps who was let in, where the configuration wants that.
    """
    if not config.radius.servers:
        return
    cache = None
    if config.radius.when_down is WhenDown.CACHED and store is not None:
        cache = RadiusCache(store, config.radius.cache_hours * 3600)
    gateway.logins.remote = RadiusDesk(gateway, config, authentication_client(config, gateway), local, cache)


def place_of(subscriber: "Subscriber", identifier: str) -> Place:
    """Return where a session is, as RADIUS is told."""
    connection = subscriber.connection
    return Place(
        identifier,
        connection.server,
        connection.client,
        subscriber.session.session_id,
        connection.connection_id,
        subscriber.local_call_id,
        connection.vendor,
    )


def nas_identifier(config: Config) -> str:
    """Return the name under which RADIUS knows this gateway."""
    return config.radius.nas_identifier or config.gateway.host_name


def exchange_config(config: Config) -> ExchangeConfig:
    """Return the times of an exchange."""
    section = config.radius
    return ExchangeConfig(section.timeout, tries=section.tries, patience=section.patience, dead_time=section.dead_time)


def authentication_client(config: Config, gateway: "Gateway") -> RadiusClient:
    """Return the client for logins. ConfigError when a secret is missing."""
    return make_client(config, config.radius.servers, lambda event: gateway.report(event, {}))


def accounting_client(config: Config, gateway: "Gateway") -> RadiusClient | None:
    """Return the client for accounting; None when nothing is accounted. ConfigError when a secret is missing."""
    servers = accounting_servers(config)
    return make_client(config, servers, lambda event: gateway.report(event, {})) if servers else None


def make_client(config: Config, servers: Sequence[RadiusServer], report: Callable[[Event], None]) -> RadiusClient:
    """Return a client of some servers. ConfigError when a secret or a certificate is missing."""
    configs, times = server_configs(config, servers), exchange_config(config)
    return RadiusClient(configs, times, secrets.token_bytes, report, tls_ways(servers))


def accounting_servers(config: Config) -> tuple[RadiusServer, ...]:
    """Return where sessions are accounted. Over TLS one port serves both (RFC 6614 section 2.1)."""
    section = config.radius
    if section.accounting_servers is not None:
        return section.accounting_servers
    return tuple(
        server if server.tls else server.model_copy(update={"port": ACCOUNTING_PORT}) for server in section.servers
    )


def server_configs(config: Config, servers: Sequence[RadiusServer]) -> dict[Address, ServerConfig]:
    """Return the servers by their addresses, the first one first unless requests are to be spread."""
    known = read_secrets(config.radius.secrets_file)
    configs: dict[Address, ServerConfig] = {}
    for place, server in enumerate(servers, start=1):
        priority = server.priority or (1 if config.radius.spread else place)
        signed = not server.tls and server.address not in config.radius.unsigned  # in TLS nobody forges
        secret = secret_for(known, server.address, config.radius.secrets_file) if server.needs_secret else TLS_SECRET
        configs[str(server.address), server.port] = ServerConfig(
            str(server), secret, priority, server.weight, require_message_authenticator=signed, reliable=server.tls
        )
    return configs


def secret_for(known: Mapping[IPv4Address, Secret], address: IPv4Address, path: Path | None) -> Secret:
    """Return the secret shared with an address. ConfigError when there is none."""
    if address not in known:
        raise ConfigError(
            f"there is no secret for the RADIUS server {address}",
            where=str(path) if path else "radius.secrets_file",
            fix=f"Write a line there: {address} SECRET",
        )
    return known[address]


def read_secrets(path: Path | None) -> dict[IPv4Address, Secret]:
    """Read lines of an address and a secret; `#` begins a comment. ConfigError says what is wrong, never a secret."""
    if path is None:
        return {}
    try:
        octets = path.read_bytes()
        open_to_others = readable_by_others(path)
    except OSError as error:
        raise ConfigError(f"the RADIUS secrets cannot be read: {error.strerror}", where=str(path)) from error
    if open_to_others:
        raise ConfigError("other users may read the RADIUS secrets", where=str(path), fix=f"chmod 600 {path}")
    found: dict[IPv4Address, Secret] = {}
    for number, line in enumerate(octets.splitlines(), start=1):
        address, secret = (*line.split(None, 1), b"", b"")[:2]
        if not address or address.startswith(b"#"):
            continue
        try:
            found[IPv4Address(address.decode("ascii"))] = Secret(secret.strip())
        except ValueError:
            secret = b""
        if not secret.strip():
            raise ConfigError("not a line of an IPv4 address and a secret", where=f"{path}:{number}") from None
    return found
