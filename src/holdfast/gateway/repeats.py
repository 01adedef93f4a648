"""Packets that come again: the network repeats them, or somebody who recorded them plays them back.

The engine lets none through twice (RFC 2637 section 4.3) and counts them; here a session with conspicuously many is
told.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.dataplane.interface import Counters
from holdfast.events import PacketsReplayed

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

LEAST = 50
"""Packets since the last look that are conspicuous,"""
SHARE = 0.2
"""when they are at least this share of all that came."""
QUIET = 300.0
"""Seconds between two tellings about one session."""


@dataclass(slots=True)
class Repeats:
    """What a session had when it was looked at last, and what it has had since it was told last."""

    repeated: int = 0
    heard: int = 0
    untold: int = 0
    quiet_until: float = 0.0


def repeats(gateway: "Gateway", subscriber: "Subscriber", counters: Counters, now: float) -> None:
    """Look at one session, and tell when much of what came had come before or was given up long ago."""
    seen = subscriber.repeats
    repeated = counters.drops.get("duplicate", 0) + counters.drops.get("late", 0)
    more, heard = repeated - seen.repeated, counters.gre_packets_in - seen.heard
    seen.repeated, seen.heard = repeated, counters.gre_packets_in
    if more < LEAST or more < SHARE * heard:
        return
    seen.untold += more
    if now >= seen.quiet_until:
        came = f"{more} of {heard} GRE packets from {subscriber.connection.client} since the last look"
        detail = f"{came} had come before, or were given up long ago; none was let through twice"
        gateway.report(PacketsReplayed(seen.untold, detail), subscriber.context())
        seen.untold, seen.quiet_until = 0, now + QUIET
