"""Disconnect and Change-of-Authorization in the gateway (RFC 5176): datagrams in, sessions ended or changed."""

import asyncio
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.config import Config
from holdfast.errors import DisconnectReason, HostError, where_raised
from holdfast.events import DynamicRequestSeen, InternalFault
from holdfast.gateway.answering_socket import AnsweringSocket, Asker
from holdfast.gateway.radius import nas_identifier, read_secrets, secret_for
from holdfast.policy.effective import Effective, Layer, over
from holdfast.policy.radius_settings import VOLUMES, settings_layer
from holdfast.radius.codes import ErrorCause, code_name
from holdfast.radius.dynamic import ACCOMPANYING, IDENTIFYING, Answered, DynamicRequest, DynamicServer, Match
from holdfast.wire.text import composed

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

COMPLAINT_INTERVAL = 60.0
"""Seconds between two log lines about the same source."""
SOURCES = 1000
"""Sources that get a line of their own a minute; all others together get one."""
OTHERS, MANY = "others", "; there are too many sources for a line each"
CHANGING = frozenset(
    {
        "Session-Timeout",
        "Idle-Timeout",
        "Acct-Interim-Interval",
        "Filter-Id",
        "Termination-Action",
        "WISPr-Bandwidth-Max-Up",
        "WISPr-Bandwidth-Max-Down",
        "Mikrotik-Rate-Limit",
        *(name for _, *names in VOLUMES for name in names),
    }
)
"""What a Change-of-Authorization may change of a session that runs."""


class DynamicDesk:
    """Listens for requests of RADIUS servers. OSError when it cannot."""

    def __init__(self, gateway: "Gateway", server: DynamicServer, address: str, port: int) -> None:
        self._gateway, self._server = gateway, server
        self._complaints: dict[str, int] = {}
        """How many more there were of each source since its last line."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = AnsweringSocket(address, port, self.take)

    def take(self, octets: bytes, asker: Asker) -> None:
        """Somebody asks for something."""
        request = self._server.receive(octets, asker.address, time.time())
        if isinstance(request, DynamicRequest):
            task = self._gateway.loop.create_task(self._serve(request, asker))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        self._complain(request, asker.address[0], octets)
        if request.octets:
            self._socket.send(request.octets, asker)

    def close(self) -> None:
        """Stop listening."""
        self._complaints.clear()
        for task in self._tasks:
            task.cancel()
        self._socket.close()

    # --- inside --------------------------------------------------------------------------------------------

    async def _serve(self, request: DynamicRequest, asker: Asker) -> None:
        """Do what is asked, and answer. A fault of ours is told, and answered: the server would ask again and again."""
        try:
            cause = await self._obey(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else waits for this task
            self._gateway.report(InternalFault("dynamic authorization", where_raised(error)), {})
            cause = ErrorCause.RESOURCES_UNAVAILABLE
        self._socket.send(self._server.answer(request, cause), asker)

    async def _obey(self, request: DynamicRequest) -> ErrorCause | None:
        """Do what is asked; return why not. A filter takes the host some milliseconds."""
        chosen = [one for one in self._gateway.subscribers.values() if fits(one, request.match)]
        layer = None if request.disconnects else settings_layer(request.values, f"CoA {request.source[0]}")
        cause = self._refusal(request, layer, chosen)
        context = chosen[0].context() if len(chosen) == 1 else {}
        if cause is None:
            cause = await self._apply(chosen, layer, request.source[0])
        answer = "ACK" if cause is None else f"NAK {cause.name.lower()}"
        words = _words(request, layer, len(chosen))
        self._gateway.report(
            DynamicRequestSeen(request.source[0], code_name(request.packet.code), answer, words), context
        )
        return cause

    def _refusal(self, request: DynamicRequest, layer: Layer | None, chosen: "list[Subscriber]") -> ErrorCause | None:
        """RFC 5176 section 3.6: why a request cannot be carried out as a whole; then nothing of it is."""
        known = IDENTIFYING | ACCOMPANYING | (CHANGING if layer is not None else frozenset())
        names = {one.name for one in request.values.all}
        if names - known:
            return ErrorCause.UNSUPPORTED_ATTRIBUTE
        if not chosen:
            elsewhere = replace(request.match, gateway="")
            ours = any(fits(one, elsewhere) for one in self._gateway.subscribers.values())
            return ErrorCause.NAS_IDENTIFICATION_MISMATCH if ours else ErrorCause.SESSION_CONTEXT_NOT_FOUND
        if layer is None:
            return None
        if not names & CHANGING:
            return ErrorCause.MISSING_ATTRIBUTE
        wanted = layer.values.get("filter", "")
        unknown = bool(wanted) and wanted not in self._gateway.settings.names.filters
        return ErrorCause.INVALID_ATTRIBUTE_VALUE if unknown or layer.unusable or not layer.values else None

    async def _apply(self, chosen: "list[Subscriber]", layer: Layer | None, source: str) -> ErrorCause | None:
        for subscriber in chosen:
            if layer is None:
                evidence = f"the RADIUS server {source} asked for it (Disconnect-Request)"
                self._gateway.close_session(subscriber, DisconnectReason.RADIUS_DISCONNECT, evidence)
                continue
            if subscriber.address and layer.values.get("filter", subscriber.filtered) != subscriber.filtered:
                try:
                    await self._gateway.addressing.refilter(subscriber, layer.values["filter"])
                except HostError as error:
                    self._gateway.report(InternalFault("filter", error.text()), subscriber.context())
                    return ErrorCause.RESOURCES_UNAVAILABLE
            self._change(subscriber, over(subscriber.effective, layer))
        return None

    def _change(self, subscriber: "Subscriber", effective: Effective) -> None:
        subscriber.effective = effective
        if subscriber.session.session_id in self._gateway.subscribers:
            subscriber.carrier.set_rates(effective.policy.rate_up, effective.policy.rate_down)
            self._gateway.patrol.look_soon(subscriber)

    def _complain(self, answered: Answered, source: str, data: bytes) -> None:
        """Say once a minute and source why something was dropped or refused: a flood must not fill the log, not even
        one from a thousand addresses that are made up."""
        if not answered.why:
            return
        key = source if source in self._complaints or len(self._complaints) < SOURCES else OTHERS
        if key in self._complaints:
            self._complaints[key] += 1
            return
        kind, answer = code_name(data[0]) if data else "nothing", "NAK" if answered.octets else ""
        detail = answered.why + (MANY if key == OTHERS else "")
        self._tell(key, DynamicRequestSeen(source, kind, answer, detail))

    def _tell(self, key: str, said: DynamicRequestSeen) -> None:
        """Report, and a minute later how many more there were."""
        self._complaints[key] = 0
        self._gateway.report(said, {})
        self._gateway.loop.call_later(COMPLAINT_INTERVAL, self._tell_rest, key, said)

    def _tell_rest(self, key: str, said: DynamicRequestSeen) -> None:
        more = self._complaints.pop(key, 0)
        if more:
            self._tell(key, replace(said, times=more))


def fits(subscriber: "Subscriber", match: Match) -> bool:
    """Whether a session is the one that is meant."""
    pairs = (
        (match.session, subscriber.session.session_id),
        (composed(match.user), subscriber.user),
        (match.address, subscriber.address),
        (match.station, subscriber.connection.client),
        (match.gateway, subscriber.connection.server),
        (match.called, subscriber.connection.server),
        (match.multi, subscriber.connection.connection_id),
    )
    port = match.port in (-1, subscriber.local_call_id)
    return port and all(wanted == found for wanted, found in pairs if wanted)


def _words(request: DynamicRequest, layer: Layer | None, count: int) -> str:
    named = {"session": request.match.session, "user": request.match.user, "address": request.match.address}
    who = " ".join(f"{key}={value}" for key, value in named.items() if value) or f"station={request.match.station}"
    what = "" if layer is None else " " + " ".join(f"{key}={_shown(value)}" for key, value in layer.values.items())
    return f"{who}{what}: {count} session{'' if count == 1 else 's'}"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def start_dynamic(gateway: "Gateway", config: Config) -> DynamicDesk | None:
    """Listen if the configuration says where. ConfigError when a secret is missing, HostError when it cannot listen."""
    section = config.radius
    if section.dynamic_listen is None:
        return None
    known = read_secrets(section.secrets_file)
    clients = {str(one): secret_for(known, one, section.secrets_file) for one in section.dynamic_clients}
    unsigned = frozenset(map(str, section.unsigned))
    server, listen = DynamicServer(clients, nas_identifier(config), unsigned), section.dynamic_listen
    try:
        return DynamicDesk(gateway, server, str(listen.address), listen.port)
    except OSError as error:
        raise HostError(
            f"cannot listen for Disconnect and CoA requests: {os.strerror(error.errno or 0)}", where=str(listen)
        ) from error
