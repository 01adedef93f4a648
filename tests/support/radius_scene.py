"""An exchange with RADIUS servers in virtual time."""

import random

from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange import RadiusExchange
from holdfast.radius.exchange_types import ExchangeConfig, Outcome, Request, ServerConfig
from holdfast.radius.packet import read_packet, write_reply
from holdfast.secret import Secret

ONE, TWO = Secret(b"one"), Secret(b"two")
FIRST = ServerConfig("a", ONE)
SECOND = ServerConfig("b", TWO, priority=2)
LOGIN = Request(Code.ACCESS_REQUEST, (attribute("User-Name", "alice"),), Secret(b"password"))
PUSH = Request(Code.ACCESS_REQUEST, (attribute("User-Name", "alice"),), patience=60)
"""A login that a person confirms on a telephone."""


class Scene:
    """An exchange in virtual time; servers answer when the test says so."""

    def __init__(self, *servers: ServerConfig, seed: int = 1, **config) -> None:
        self.now = 0.0
        self.servers = servers or (FIRST, SECOND)
        self.exchange = RadiusExchange(self.servers, ExchangeConfig(**config), random.Random(seed).randbytes)
        self.sent: list = []
        self.probes: list = []
        self.outcomes: list[Outcome] = []
        self.events: list = []

    def drain(self) -> None:
        for datagram in self.exchange.outgoing():
            asked = datagram.octets[0] == Code.STATUS_SERVER
            (self.probes if asked else self.sent).append(datagram)
        self.outcomes += self.exchange.outcomes()
        self.events += self.exchange.events()

    def ask(self, request: Request = LOGIN) -> int:
        token = self.exchange.ask(request, self.now)
        self.drain()
        return token

    def run(self, until: float = 1e9) -> None:
        while (deadline := self.exchange.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.exchange.handle_timer(self.now)
            self.drain()
        self.now = max(self.now, until if until < 1e9 else self.now)

    def answer(
        self, datagram=None, code: int = Code.ACCESS_ACCEPT, secret: Secret | None = None, attributes=()
    ) -> None:
        datagram = datagram or self.sent[-1]
        shared = secret or self.servers[datagram.server].secret
        reply = write_reply(code, read_packet(datagram.octets), attributes, shared)
        self.exchange.receive(datagram.server, datagram.lane, reply, self.now)
        self.drain()
