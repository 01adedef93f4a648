"""Asking RADIUS servers: identifiers, retransmission, failover, health. No sockets, no clock, no randomness here.

A request goes to one server at a time. It is repeated there, each wait twice the last with some jitter (RFC 5080
section 2.2.1), then it goes to the next server. A server that let a request run out without saying anything is left
alone for a while, then one request finds out whether it lives; when none is left, the dead ones are tried all the same:
a late answer is better than none.

A server that is slow with its first answer is asked for a sign of life (Status-Server, RFC 5997). One that lives may
think, for a person must perhaps confirm: it is given all the patience but what the next server needs.

A lane is one source port or one connection towards one server; it carries 256 requests at a time, and there are as many
as are needed. On a connection nothing is repeated; what is unanswered when it breaks goes out on another.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from holdfast.events import Event, RadiusAnswerRefused, RadiusServerDown, RadiusServerUp
from holdfast.machine import Entropy, earliest
from holdfast.radius.agenda import Agenda
from holdfast.radius.attributes import Attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_state import Pending, Server
from holdfast.radius.exchange_types import (
    Asked,
    Datagram,
    ExchangeConfig,
    Fault,
    Outcome,
    Request,
    Sent,
    ServerConfig,
)
from holdfast.radius.hiding import hide_password
from holdfast.radius.packet import AUTHENTICATOR_SIZE, RANDOM_AUTHENTICATOR, PacketFault, read_reply, write_request
from holdfast.radius.watchdog import PATIENCE, Lane, Watchdog

IDENTIFIERS = 256
USER_PASSWORD = 2
NOBODY = "the host says that nobody listens there"
COMPLAINT_INTERVAL = 60.0
"""Seconds between two complaints about the answers of one server."""
ANSWERS: dict[int, frozenset[int]] = {
    Code.ACCESS_REQUEST: frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE}),
    Code.ACCOUNTING_REQUEST: frozenset({Code.ACCOUNTING_RESPONSE}),
    Code.STATUS_SERVER: frozenset({Code.ACCESS_ACCEPT, Code.ACCOUNTING_RESPONSE}),
}


class RadiusExchange:
    """Any number of requests to a group of servers."""

    def __init__(self, servers: Iterable[ServerConfig], config: ExchangeConfig, entropy: Entropy) -> None:
        """`servers` in any order; the lowest priority number is asked first. ValueError without any."""
        self._servers = [Server(server) for server in servers]
        if not self._servers:
            raise ValueError("no RADIUS server")
        self._config = config
        self._entropy = entropy
        self._pending: dict[int, Pending] = {}
        self._agenda: Agenda[int] = Agenda()
        self._next_token = 1
        self._outgoing: list[Datagram] = []
        self._outcomes: list[Outcome] = []
        self._events: list[Event] = []
        self._watchdog = Watchdog()
        self._closing: list[Lane] = []

    # --- verbs ---------------------------------------------------------------------------------------------

    def ask(self, request: Request, now: float, before: Sent | None = None) -> int:
        """Send a request; its outcome will carry the number returned here.

        `before`: how it went out already, from the port that lane 0 has again. It goes to that server first, octet for
        octet the same.
        """
        token, self._next_token = self._next_token, self._next_token + 1
        patience = request.patience or self._config.patience
        pending = Pending(token, request, now + patience, self._order(request.only, now))
        if before is not None:
            self._prefer(pending, before)
        self._pending[token] = pending
        self._next_server(pending, now)
        return token

    def cancel(self, token: int) -> None:
        """Forget a request: nobody waits for its answer any more."""
        pending = self._pending.pop(token, None)
        if pending is not None:
            self._agenda.drop(token)
            self._free(pending)

    def receive(self, server: int, lane: int, octets: bytes, now: float) -> None:
        """Take what came on a lane. Replies to nothing, of nobody, or wrongly signed change nothing."""
        if not (0 <= server < len(self._servers) and len(octets) > 1):
            return
        known = self._servers[server]
        pending = known.lanes[lane].get(octets[1]) if 0 <= lane < len(known.lanes) else None
        if pending is None:
            known.strays += 1
            return
        shared = known.config.secret
        # An Accounting-Response never carries one: its request was signed with the secret, not merely random. A sign
        # of life decides nothing, and FreeRADIUS before 3.2.5 cannot be told to sign it
        required = known.config.require_message_authenticator and pending.request.code == Code.ACCESS_REQUEST
        reply = read_reply(octets, pending.authenticator, shared, require_message_authenticator=required)
        if isinstance(reply, PacketFault) and known.answers_former(lane, octets):
            known.strays += 1
        elif isinstance(reply, PacketFault):
            self._refuse(pending, known, reply, now)
        elif reply.code in ANSWERS.get(pending.request.code, ()):
            self._watchdog.heard((server, lane), now)
            known.answers_probes = known.answers_probes or pending.probe
            self._heard(known, now)
            self._finish(pending, Outcome(pending.token, known.config.name, reply, shared, pending.authenticator))

    def unreachable(self, server: int, now: float, why: str = NOBODY) -> None:
        """The host says that nobody listens there (ICMP), or that there is no way: waiting for an answer is in vain."""
        for pending in [one for lane in self._servers[server].lanes for one in lane.values()]:
            pending.nobody.add(server)
            pending.no_way = why != NOBODY
            self._lost(pending, now, why)

    def connected(self, server: int, lane: int, now: float) -> None:
        """The connection of a lane is there."""
        self._watchdog.opened((server, lane), now)

    def disconnected(self, server: int, lane: int, now: float, why: str, *, was_open: bool) -> None:
        """The connection of a lane is gone, or never came: what waits for an answer on it goes out again elsewhere."""
        self._watchdog.closed((server, lane))
        lanes = self._servers[server].lanes
        for pending in list(lanes[lane].values()) if lane < len(lanes) else []:
            if pending.probe:
                self._finish(pending, Outcome(pending.token, ""))
            elif was_open and pending.sent < self._config.tries:
                self._free(pending)
                pending.remaining.insert(0, server)
                self._next_server(pending, now, again=True)
            else:
                self._lost(pending, now, why)

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next, or None."""
        return earliest((self._agenda.deadline, self._watchdog.deadline))

    def handle_timer(self, now: float) -> None:
        """Repeat, go to the next server, or give up, whatever is due."""
        for token in self._agenda.due(now):
            pending = self._pending.get(token)
            if pending is None:
                continue
            if now < pending.give_up:
                self._due(pending, now)
                continue
            if not pending.probe:
                self._mark_silent(pending, now)
            self._give_up(pending)
            self._doubt(pending)
        ask, close = self._watchdog.due(now)
        for lane in close:
            self._close_unless_it_may_think(lane)
        for server, number in ask:
            self._probe(server, number, now)

    def outgoing(self) -> list[Datagram]:
        """Drain what must be sent."""
        drained, self._outgoing = self._outgoing, []
        return drained

    def outcomes(self) -> list[Outcome]:
        """Drain what became of requests."""
        drained, self._outcomes = self._outcomes, []
        return drained

    def events(self) -> list[Event]:
        """Drain the facts."""
        drained, self._events = self._events, []
        return drained

    def closing(self) -> list[Lane]:
        """Drain the connections that are to be closed: they are silent, or what comes on them is not to be trusted."""
        drained, self._closing = self._closing, []
        return drained

    def awaits(self, token: int) -> bool:
        """Whether a request has no answer yet."""
        return token in self._pending

    @property
    def waiting(self) -> int:
        """How many requests have no answer yet."""
        return sum(not one.probe for one in self._pending.values())

    def silent(self, now: float) -> bool:
        """Whether every server is left alone at the moment, because it said nothing lately."""
        return all(self._is_dead(one, now) for one in self._servers)

    def state(self) -> list[dict[str, Any]]:
        """Return how each server is, as plain data."""
        return [
            {
                "server": one.config.name,
                "down": one.dead,
                "waiting": sum(len(lane) for lane in one.lanes),
                "refused": one.refused,
                "strays": one.strays,
            }
            for one in self._servers
        ]

    # --- which server --------------------------------------------------------------------------------------

    def _order(self, only: str, now: float) -> list[int]:
        """Return the servers to ask, in order: those alive by priority and weight, then the dead ones."""
        if len(self._servers) == 1:
            return [0] if only in ("", self._servers[0].config.name) else []
        listed = [
            (self._is_dead(one, now), one.config.priority, self._lot(one), n)
            for n, one in enumerate(self._servers)
            if only in ("", one.config.name)
        ]
        return [index for *_, index in sorted(listed)]

    def _prefer(self, pending: Pending, before: Sent) -> None:
        """Ask that server first, with the identifier that the request had."""
        place = self._place_of(before.server)
        if place is None or len(before.octets) < 2:
            return
        pending.before = before
        pending.remaining.remove(place)
        pending.remaining.insert(0, place)
        self._servers[place].cursor = before.octets[1]

    def _place_of(self, name: str) -> int | None:
        return next((index for index, one in enumerate(self._servers) if one.config.name == name), None)

    @staticmethod
    def _is_dead(server: Server, now: float) -> bool:
        return server.dead and now < server.dead_until

    def _lot(self, server: Server) -> float:
        """Draw so that the smallest of a priority is each server's as often as its weight says."""
        draw = (int.from_bytes(self._entropy(4)) + 1) / 2**32
        return -math.pow(draw, 1 / server.config.weight)

    def _next_server(self, pending: Pending, now: float, *, again: bool = False) -> None:
        """Go to the next server; `again`: it is the same one, over another connection."""
        while pending.remaining:
            pending.server = pending.remaining.pop(0)
            if self._occupy(pending):
                self._servers[pending.server].asked(now, self._config.series)
                if not again:
                    pending.sent, pending.wait, pending.first_sent = 0, self._config.first_wait, now
                self._write(pending)
                self._send(pending, now)
                return
        self._give_up(pending)

    def _occupy(self, pending: Pending) -> bool:
        """Take a free identifier; a lane more when all of them are in use. False when there may be no more lanes."""
        server = self._servers[pending.server]
        if any(self._occupy_lane(pending, lane) for lane in range(len(server.lanes))):
            return True
        if len(server.lanes) >= self._config.max_lanes:
            return False
        server.lanes.append({})
        return self._occupy(pending)

    def _occupy_lane(self, pending: Pending, lane: int) -> bool:
        server = self._servers[pending.server]
        taken = server.lanes[lane]
        if len(taken) >= IDENTIFIERS:
            return False
        while server.cursor in taken:
            server.cursor = (server.cursor + 1) % IDENTIFIERS
        taken[server.cursor] = pending
        pending.place = (lane, server.cursor)
        # the next one gets another identifier: a late reply to this one then finds nobody
        server.cursor = (server.cursor + 1) % IDENTIFIERS
        return True

    def _free(self, pending: Pending) -> None:
        lane, identifier = pending.place
        lanes = self._servers[pending.server].lanes
        if lane < len(lanes) and lanes[lane].get(identifier) is pending:
            del lanes[lane][identifier]
            self._servers[pending.server].former[pending.place] = pending.authenticator

    # --- sending -------------------------------------------------------------------------------------------

    def _write(self, pending: Pending) -> None:
        """Make the packet for this server: its secret hides the password."""
        before = pending.before
        if before is not None and self._place_of(before.server) == pending.server:
            pending.before = None
            if pending.place == (0, before.octets[1]):
                pending.octets, pending.authenticator = before.octets, before.octets[4:20]
                return
        shared, request = self._servers[pending.server].config.secret, pending.request
        random = (
            self._entropy(AUTHENTICATOR_SIZE) if request.code in RANDOM_AUTHENTICATOR else bytes(AUTHENTICATOR_SIZE)
        )
        attributes = list(request.attributes)
        if request.password is not None:
            attributes.append(Attribute(USER_PASSWORD, hide_password(request.password, shared, random)))
        identifier = pending.place[1]
        pending.octets = write_request(
            request.code, identifier, attributes, shared, random, signed=request.signed, written=request.written
        )
        pending.authenticator = pending.octets[4:20]

    def _send(self, pending: Pending, now: float) -> None:
        self._outgoing.append(Datagram(pending.server, pending.place[0], pending.octets, pending.token))
        pending.sent += 1
        if self._servers[pending.server].config.reliable:
            self._plan(pending, now + self._config.first_wait)
            pending.wait = self._config.series - self._config.first_wait
            return
        jitter = 0.9 + 0.2 * self._entropy(1)[0] / 255
        self._plan(pending, now + pending.wait * jitter)
        pending.wait = min(pending.wait * 2, self._config.longest_wait)

    def _plan(self, pending: Pending, due: float) -> None:
        """Look at a request again then, and at the end of its patience at the latest."""
        pending.due = min(due, pending.give_up)
        self._agenda.set(pending.token, pending.due)

    def _due(self, pending: Pending, now: float) -> None:
        """No answer yet: repeat the request, wait on for a server that lives or is the last one, or go to the next."""
        server = self._servers[pending.server]
        lives = server.last_heard >= pending.first_sent
        early = pending.wait > 0 if server.config.reliable else pending.sent < self._config.tries
        if early:
            if not lives and not server.probing:
                self._probe(pending.server, pending.place[0], now)
            self._wait_more(pending, now)
            return
        spare = self._config.series if pending.remaining else 0.0
        limit = pending.give_up - spare if lives or not pending.remaining else now
        if now >= limit:
            self._lost(pending, now)
            return
        if not lives:
            self._mark_silent(pending, now)
            if server.answers_probes:
                self._doubt(pending)
        self._wait_more(pending, now)
        self._plan(pending, limit if server.config.reliable else min(pending.due, limit))

    def _wait_more(self, pending: Pending, now: float) -> None:
        """Repeat the request; over a connection only wait (RFC 6613 section 2.6.1)."""
        if self._servers[pending.server].config.reliable:
            self._plan(pending, now + pending.wait)
            pending.wait = 0.0
        else:
            self._send(pending, now)

    def _doubt(self, pending: Pending) -> None:
        """Nothing came on a connection since the request was sent: it may be dead."""
        server = self._servers[pending.server]
        if server.config.reliable and server.last_heard < pending.first_sent:
            self._close_unless_it_may_think((pending.server, pending.place[0]))

    def _close_unless_it_may_think(self, lane: Lane) -> None:
        """Close a silent connection, but not one on which a server that knows no Status-Server may be thinking."""
        known, number = self._servers[lane[0]], lane[1]
        waiting = known.lanes[number].values() if number < len(known.lanes) else ()
        if known.answers_probes or all(one.probe for one in waiting):
            self._closing.append(lane)

    def _probe(self, server: int, lane: int, now: float) -> None:
        """Ask a server on one of its lanes whether it lives; many do not know the question, which says nothing."""
        known = self._servers[server]
        token, self._next_token = self._next_token, self._next_token + 1
        pending = Pending(token, Request(Code.STATUS_SERVER, ()), now + PATIENCE, [], server, probe=True)
        if lane < len(known.lanes) and self._occupy_lane(pending, lane):
            self._pending[token], known.probing = pending, True
            self._write(pending)
            self._outgoing.append(Datagram(server, lane, pending.octets, token))
            self._plan(pending, pending.give_up)

    # --- what comes of it ----------------------------------------------------------------------------------

    def _lost(self, pending: Pending, now: float, why: str = "") -> None:
        """This server did not answer: the next one."""
        self._mark_silent(pending, now, why)
        self._free(pending)
        if not why:
            self._doubt(pending)
        self._next_server(pending, now)

    def _mark_silent(self, pending: Pending, now: float, why: str = "") -> None:
        server = self._servers[pending.server]
        if pending.server not in pending.waited_for[-1:]:
            pending.waited_for.append(pending.server)
        pending.alive = pending.alive or server.last_heard >= pending.first_sent
        if pending.refused is not None or server.last_heard >= pending.first_sent:
            return
        if not server.dead:
            silence = f"no answer in {now - pending.first_sent:.1f} s to {pending.sent} tries"
            self._events.append(RadiusServerDown(server.config.name, why or silence))
        server.dead, server.dead_until = True, now + self._config.dead_time

    def _heard(self, server: Server, now: float) -> None:
        server.last_heard = now
        if server.dead:
            server.dead = False
            self._events.append(RadiusServerUp(server.config.name))

    def _refuse(self, pending: Pending, server: Server, fault: PacketFault, now: float) -> None:
        """A reply that cannot be trusted: go on waiting, the true one may still come. A connection has had its day."""
        pending.refused = fault
        server.refused, server.complaints = server.refused + 1, server.complaints + 1
        if server.config.reliable:
            self._closing.append((pending.server, pending.place[0]))
        if now >= server.next_complaint:
            server.next_complaint = now + COMPLAINT_INTERVAL
            self._events.append(RadiusAnswerRefused(server.config.name, fault.value, server.complaints))
            server.complaints = 0

    def _give_up(self, pending: Pending) -> None:
        name = self._servers[pending.waited_for[-1]].config.name if pending.waited_for else ""
        fault = Fault.SILENT if pending.waited_for else Fault.BUSY
        if pending.waited_for and pending.nobody.issuperset(pending.waited_for):
            fault = Fault.NO_WAY if pending.no_way else Fault.UNREACHABLE
        if pending.refused is not None:
            fault = _FAULTS[pending.refused]
        self._finish(pending, Outcome(pending.token, name, fault=fault))

    def _finish(self, pending: Pending, outcome: Outcome) -> None:
        self._free(pending)
        self._pending.pop(pending.token, None)
        self._agenda.drop(pending.token)
        if pending.probe:
            self._servers[pending.server].probing = False
            return
        tried = tuple(self._servers[index].config.name for index in pending.waited_for)
        self._outcomes.append(replace(outcome, asked=Asked(pending.request.code, tried, pending.alive)))


_FAULTS = {
    PacketFault.MALFORMED: Fault.MALFORMED,
    PacketFault.WRONG_AUTHENTICATOR: Fault.WRONG_SECRET,
    PacketFault.WRONG_MESSAGE_AUTHENTICATOR: Fault.WRONG_SECRET,
    PacketFault.NO_MESSAGE_AUTHENTICATOR: Fault.NOT_SIGNED,
}
