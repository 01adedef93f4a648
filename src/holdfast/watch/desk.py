"""Where packets are sorted to their connections, and connections are judged when they end or go sick.

No I/O here but the captures that are kept: packets and the time come as arguments, facts go out through `report`.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from holdfast.capture.findings.base import Finding
from holdfast.control.codes import CONTROL_PORT
from holdfast.events import Event, WatchedEnded, WatchedFailed, WatchedSick, WatchedUp, WatchImpaired
from holdfast.watch.bpf import GRE, ICMP, ICMPV6, TCP
from holdfast.watch.packets import FIN, RST, STOPPED, SYN, Seen, Segment, call_id, look, quoted, segment, text
from holdfast.watch.recurrence import Recurrence
from holdfast.watch.ring import Captured
from holdfast.watch.shelf import Shelf
from holdfast.watch.watched import SECOND, Ends, Verdict, Watched, verdict_of

CONNECTIONS_MOST = 1000
STRANGERS_MOST = 200
"""Connections on which nobody spoke PPTP yet, and GRE without control connection: floods are made of these."""
JUDGED_AT_ONCE = 8
"""Judgements between two looks at the ring."""
FIXES_MOST = 6
LIMITS_EVERY = 60 * SECOND
"""What could not be watched is told once in so long."""

Report = Callable[[Event, dict[str, Any]], None]


@dataclass(slots=True)
class Tally:
    """Counts of the whole watch."""

    packets: int = 0
    sessions: int = 0
    failures: int = 0
    lost: int = 0
    left_out: int = 0
    """Connections that were given up because there were too many."""


class Desk:
    """All connections of one interface. Times in nanoseconds since 1970."""

    def __init__(self, interface: str, report: Report, shelf: Shelf | None = None, *, port: int = CONTROL_PORT) -> None:
        self.interface, self._report, self._shelf, self._port = interface, report, shelf, port
        self.tally = Tally()
        self.watched: dict[Ends, Watched] = {}
        self._strangers: OrderedDict[Ends, Watched] = OrderedDict()
        self._by_pair: dict[tuple[bytes, bytes], list[Watched]] = defaultdict(list)
        self._by_call: dict[tuple[bytes, bytes, int], Watched] = {}
        self._recurrence = Recurrence()
        self._lost_told = self._left_out_told = self._limits_told = 0
        self._count = 0

    # --- packets ----------------------------------------------------------------------------------------------------

    def take(self, captured: Captured) -> None:
        """Take a packet. Whatever it is, nothing is raised and memory stays bounded."""
        self.tally.packets += 1
        seen = look(captured.ether_type, captured.octets)
        if seen is None:
            return
        length = captured.length - (len(captured.octets) - len(seen.ip))
        when = captured.nanoseconds
        if seen.protocol == GRE:
            self._gre(when, seen, length)
        elif seen.protocol == TCP:
            self._tcp(when, seen, length)
        elif seen.protocol in (ICMP, ICMPV6):
            self._icmp(when, seen, length)

    def _tcp(self, when: int, seen: Seen, length: int) -> None:
        found = segment(seen, self._port)
        if found is None:
            return
        key = (*found.client, *found.server)
        known = self.watched.get(key)
        if known is not None and known.goodbye and found.flags & SYN and found.from_client:
            self._finish(known, when)  # the port is used again
            known = None
        watched = known or self._begin(key, when)
        watched.take(when, seen, length)
        self._learn(watched, found, when)

    def _learn(self, watched: Watched, found: Segment, when: int) -> None:
        watched.begun = watched.begun or bool(found.kind)
        if found.kind and not found.from_client:
            self._trust(watched)
        if found.calls is not None:
            mine, theirs = found.calls
            source, destination = (
                (watched.client, watched.server) if found.from_client else (watched.server, watched.client)
            )
            self._own(watched, (destination, source, mine))
            if theirs is not None:
                self._own(watched, (source, destination, theirs))
        if (found.flags & (FIN | RST) or found.kind in STOPPED) and not watched.goodbye:
            watched.goodbye = when

    def _own(self, watched: Watched, call: tuple[bytes, bytes, int]) -> None:
        """GRE with this Call ID belongs to this connection from now on."""
        before = self._by_call.get(call)
        if before is not None and before is not watched:
            before.calls.discard(call)
        if len(watched.calls) < CONNECTIONS_MOST:
            self._by_call[call] = watched
            watched.calls.add(call)

    def _gre(self, when: int, seen: Seen, length: int) -> None:
        number = None if seen.fragment else call_id(seen)
        if number is None and not seen.fragment:
            return
        owner = self._by_call.get((seen.source, seen.destination, number)) if number is not None else None
        near = self._by_pair.get(seen.pair, [])
        owner = owner or next((one for one in reversed(near) if not one.goodbye), near[-1] if near else None)
        if owner is None and number is not None:
            owner = self._begin((seen.source, 0, seen.destination, 0), when)
        if owner is not None:
            owner.begun = True
            if seen.source != owner.client:
                self._trust(owner)
            owner.take(when, seen, length)

    def _icmp(self, when: int, seen: Seen, length: int) -> None:
        about = quoted(seen)
        for watched in self._by_pair.get(about.pair, [])[-4:] if about is not None else ():
            watched.take(when, seen, length)

    def _trust(self, watched: Watched) -> None:
        if not watched.spoke:
            watched.spoke = True
            self._strangers.pop(watched.key, None)

    def _begin(self, key: Ends, when: int) -> Watched:
        self._make_room()
        self._count += 1
        watched = Watched(
            f"{self.interface}-{when // SECOND:x}-{self._count}", self.interface, key, when, self.tally.lost, self._port
        )
        self.watched[key] = self._strangers[key] = watched
        self._by_pair[watched.pair].append(watched)
        return watched

    def _make_room(self) -> None:
        """Give up the oldest stranger when there are too many; else the connection that was silent the longest."""
        if len(self._strangers) >= STRANGERS_MOST:
            victim = next(iter(self._strangers.values()))
        elif len(self.watched) >= CONNECTIONS_MOST:
            victim = min(self.watched.values(), key=lambda one: one.last)
        else:
            return
        self.tally.left_out += 1
        self._drop(victim)

    def _drop(self, watched: Watched) -> None:
        self.watched.pop(watched.key, None)
        self._strangers.pop(watched.key, None)
        near = self._by_pair[watched.pair]
        with suppress(ValueError):
            near.remove(watched)
        if not near:
            del self._by_pair[watched.pair]
        for call in watched.calls:
            if self._by_call.get(call) is watched:
                del self._by_call[call]

    # --- judging ----------------------------------------------------------------------------------------------------

    def tick(self, now: int, lost: int = 0) -> None:
        """Judge what is due; `lost` packets found no room in the ring since the last call."""
        self.tally.lost += lost
        if now - self._limits_told >= LIMITS_EVERY:
            self._tell_limits(now)
        work = 0
        for watched in list(self.watched.values()):
            if work >= JUDGED_AT_ONCE:
                return
            if watched.over(now):
                self._finish(watched, now)
                work += 1
            elif watched.due(now):
                self._check(watched, now)
                work += 1

    def close(self, now: int) -> None:
        """Watching ends: what is not well by now is told, and of what goes on nothing is said."""
        for watched in list(self.watched.values()):
            verdict = verdict_of(watched.check(now, self.tally.lost - watched.lost_before))
            if watched.goodbye or verdict.surely():
                self._conclude(watched, verdict, now)
            self._drop(watched)
        self._tell_limits(now)

    def _check(self, watched: Watched, now: int) -> None:
        verdict = verdict_of(watched.check(now, self.tally.lost - watched.lost_before))
        self._note(watched, verdict)
        for finding in verdict.surely():
            if finding.id not in watched.told:
                watched.told.add(finding.id)
                capture = self._keep(watched, finding, now)
                self._report(
                    WatchedSick(**_fields(verdict, finding, watched, now, capture)), _context(watched, verdict)
                )

    def _finish(self, watched: Watched, now: int) -> None:
        self._conclude(watched, verdict_of(watched.check(now, self.tally.lost - watched.lost_before)), now)
        self._drop(watched)

    def _conclude(self, watched: Watched, verdict: Verdict, now: int) -> None:
        if verdict.session is None and not verdict.serious:
            return  # a look at the port, or packets of something else
        self._note(watched, verdict)
        self.tally.sessions += 1
        client, _ = _client_of(watched, verdict)
        duration = (watched.last - watched.born) / SECOND
        capture = ""
        if verdict.serious:
            self.tally.failures += 1
            finding = verdict.serious[0]
            capture = self._keep(watched, finding, now, final=True)
            self._report(
                WatchedFailed(**_fields(verdict, finding, watched, watched.last, capture)), _context(watched, verdict)
            )
        else:
            self._report(_ended(verdict, duration), _context(watched, verdict))
        word = verdict.serious[0].id if verdict.serious else ""
        for again in self._recurrence.ended(now, client, word, capture, duration):
            self._report(again, {"interface": self.interface, "client_ip": client})

    def _note(self, watched: Watched, verdict: Verdict) -> None:
        """Remember what a live line shows, and tell once that a session is up."""
        session = verdict.session
        watched.user = session.user if session else ""
        watched.state = verdict.serious[0].id if verdict.serious else verdict.phase or "-"
        if verdict.up and not watched.up and session is not None:
            watched.up = True
            link = session.link
            since = max(
                moment.since(session.started) for phase, moment in session.phases.items() if phase.value != "goodbye"
            )
            bits = link.mppe.bits if link.mppe else 0
            self._report(
                WatchedUp(str(link.method or ""), bits, link.client_address or "", round(since, 3)),
                _context(watched, verdict),
            )

    def _keep(self, watched: Watched, finding: Finding, now: int, *, final: bool = False) -> str:
        """Keep the capture of a finding, or at the end what has come to it since; return its path."""
        known = watched.captures.get(finding.id, "")
        if self._shelf is None or (known and not final):
            return known
        client, server = watched.ends
        comment = f"{watched.name}: {client} and {server} on {self.interface}\n"
        comment += f"{finding.id}: {finding.entry.title}. {finding.why}"
        octets = watched.tape.write(comment, self.interface)
        path = self._shelf.keep(now, client, finding.id, octets, instead=known)
        if path:
            watched.captures[finding.id] = path
        return path

    def _tell_limits(self, now: int) -> None:
        lost, left_out = self.tally.lost - self._lost_told, self.tally.left_out - self._left_out_told
        self._lost_told, self._left_out_told = self.tally.lost, self.tally.left_out
        if lost or left_out:
            self._limits_told = now
        if lost:
            self._report(WatchImpaired("packets came faster than they could be looked at", lost), self._here())
        if left_out:
            detail = f"{left_out} connections were given up, as there are more than can be watched"
            self._report(WatchImpaired(detail, 0), self._here())

    def _here(self) -> dict[str, Any]:
        return {"interface": self.interface}


def _client_of(watched: Watched, verdict: Verdict) -> tuple[str, str]:
    """GRE alone does not say who dialled; the judgement may know."""
    session = verdict.session
    if session is not None and session.client:
        return session.client, session.server
    return text(watched.client), text(watched.server)


def _context(watched: Watched, verdict: Verdict) -> dict[str, Any]:
    """The envelope, as the server of the session would write it."""
    client, server = _client_of(watched, verdict)
    call = verdict.session.call if verdict.session else None
    return {
        "session": watched.name,
        "client_ip": client,
        "server_ip": server,
        "interface": watched.interface,
        "local_call_id": call.server_call_id if call else None,
        "peer_call_id": call.client_call_id if call else None,
        "user": watched.user,
    }


def _fields(verdict: Verdict, finding: Finding, watched: Watched, now: int, capture: str) -> dict[str, Any]:
    return {
        "finding": finding.id,
        "certainty": finding.certainty,
        "direction": finding.towards.value,
        "title": finding.entry.title,
        "why": finding.why,
        "phase": verdict.phase,
        "duration": round((now - watched.born) / SECOND, 3),
        "windows_codes": finding.entry.windows_codes,
        "fixes": tuple(_fixes(finding))[:FIXES_MOST],
        "others": tuple(dict.fromkeys(one.id for one in verdict.serious if one.id != finding.id)),
        "capture": capture,
    }


def _fixes(finding: Finding) -> Iterator[str]:
    for role, steps in finding.fixes.as_data().items():
        yield from (f"{role}: {step}" for step in steps)


def _ended(verdict: Verdict, duration: float) -> WatchedEnded:
    telling = [
        finding for finding in verdict.notes if finding.id not in ("harmless", "partial-capture", "capture-lost-frames")
    ]
    ends = [finding for finding in telling if finding.id != "healthy"] or telling
    session = verdict.session
    packets = [session.gre_packets(up) if session else 0 for up in (True, False)]
    finding, why = (ends[0].id, ends[0].why) if ends else ("", "")
    return WatchedEnded(finding, why, verdict.phase, round(duration, 3), *packets)
