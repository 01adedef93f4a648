"""Disconnect and Change-of-Authorization in the gateway (RFC 5176): datagrams in, sessions ended or changed."""

import asyncio
import os
import time
from collections import OrderedDict
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from holdfast.config import Config
from holdfast.errors import DisconnectReason, HostError
from holdfast.events import DynamicRequestSeen
from holdfast.gateway.radius import nas_identifier, read_secrets, secret_for
from holdfast.policy.effective import Effective, Layer
from holdfast.policy.radius_settings import settings_layer
from holdfast.radius.codes import ErrorCause, code_name
from holdfast.radius.dynamic import Answered, DynamicRequest, DynamicServer, Match

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

COMPLAINT_INTERVAL = 60.0
"""Seconds between two log lines about the same source."""
SOURCES = 1000
"""Sources whose last complaint is remembered."""


class DynamicDesk(asyncio.DatagramProtocol):
    """Listens for requests of RADIUS servers."""

    def __init__(self, gateway: "Gateway", server: DynamicServer) -> None:
        self._gateway, self._server = gateway, server
        self._transport: asyncio.DatagramTransport | None = None
        self._complaints: OrderedDict[str, float] = OrderedDict()

    # --- asyncio.DatagramProtocol --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Somebody asks for something."""
        request = self._server.receive(data, addr, time.time())
        if isinstance(request, DynamicRequest):
            octets = self._carry_out(request)
        else:
            octets = request.octets
            self._complain(request, addr[0], data)
        if octets and self._transport is not None:
            self._transport.sendto(octets, addr)

    def close(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.close()

    # --- inside --------------------------------------------------------------------------------------------

    def _carry_out(self, request: DynamicRequest) -> bytes:
        chosen = [one for one in self._gateway.subscribers.values() if fits(one, request.match)]
        cause = None if chosen else ErrorCause.SESSION_CONTEXT_NOT_FOUND
        layer = None if request.disconnects else settings_layer(request.values, f"CoA {request.source[0]}")
        if layer is not None and not layer.values:
            cause = ErrorCause.UNSUPPORTED_ATTRIBUTE
        if cause is None:
            for subscriber in chosen:
                self._apply(subscriber, layer, request.source[0])
        answer = "ACK" if cause is None else f"NAK {cause.name.lower()}"
        words = _words(request, layer, len(chosen))
        seen = DynamicRequestSeen(request.source[0], code_name(request.packet.code), answer, words)
        self._gateway.report(seen, chosen[0].context() if len(chosen) == 1 else {})
        return self._server.answer(request, cause)

    def _apply(self, subscriber: "Subscriber", layer: Layer | None, source: str) -> None:
        if layer is None:
            evidence = f"the RADIUS server {source} asked for it (Disconnect-Request)"
            self._gateway.close_session(subscriber, DisconnectReason.RADIUS_DISCONNECT, evidence)
            return
        subscriber.effective = changed(subscriber.effective, layer)
        subscriber.visit_at = 0.0  # the new limits are looked at in the next round

    def _complain(self, answered: Answered, source: str, data: bytes) -> None:
        """Say once a minute and source why something was dropped or refused: a flood must not fill the log."""
        now = self._gateway.now()
        if not answered.why or now < self._complaints.get(source, float("-inf")):
            return
        self._complaints[source] = now + COMPLAINT_INTERVAL
        self._complaints.move_to_end(source)
        if len(self._complaints) > SOURCES:
            self._complaints.popitem(last=False)
        kind = code_name(data[0]) if data else "nothing"
        self._gateway.report(DynamicRequestSeen(source, kind, "NAK" if answered.octets else "", answered.why), {})


def fits(subscriber: "Subscriber", match: Match) -> bool:
    """Whether a session is the one that is meant."""
    pairs = (
        (match.session, subscriber.session.session_id),
        (match.user, subscriber.user),
        (match.address, subscriber.address),
        (match.station, subscriber.connection.client),
        (match.gateway, subscriber.connection.server),
    )
    return all(wanted == found for wanted, found in pairs if wanted)


def changed(before: Effective, layer: Layer) -> Effective:
    """Return settings with those of `layer` over them."""
    policy = replace(before.policy, **layer.values)
    return Effective(policy, MappingProxyType({**before.origins, **layer.origins}))


def _words(request: DynamicRequest, layer: Layer | None, count: int) -> str:
    named = {"session": request.match.session, "user": request.match.user, "address": request.match.address}
    who = " ".join(f"{key}={value}" for key, value in named.items() if value) or f"station={request.match.station}"
    what = "" if layer is None else " " + " ".join(f"{key}={value:g}" for key, value in layer.values.items())
    return f"{who}{what}: {count} session{'' if count == 1 else 's'}"


async def start_dynamic(gateway: "Gateway", config: Config) -> DynamicDesk | None:
    """Listen if the configuration says where. ConfigError when a secret is missing, HostError when it cannot listen."""
    section = config.radius
    if section.dynamic_listen is None:
        return None
    known = read_secrets(section.secrets_file)
    clients = {str(one): secret_for(known, one, section.secrets_file) for one in section.dynamic_clients}
    desk = DynamicDesk(gateway, DynamicServer(clients, nas_identifier(config)))
    listen = section.dynamic_listen
    try:
        await gateway.loop.create_datagram_endpoint(lambda: desk, local_addr=(str(listen.address), listen.port))
    except OSError as error:
        raise HostError(
            f"cannot listen for Disconnect and CoA requests: {os.strerror(error.errno or 0)}", where=str(listen)
        ) from error
    return desk
