"""Rates as RADIUS servers write them: bits a second from the client (up) and to it (down)."""

import re

MULTIPLES = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000}
_RATE = re.compile(r"(\d{1,12})([kmg]?)", re.IGNORECASE)


def read_mikrotik(text: str) -> tuple[int, int] | None:
    """Read the first word of Mikrotik-Rate-Limit: `rx[/tx]`, from and to the client; bursts and queues are not ours.

    None when it is no rate. One rate alone is for both directions.
    """
    words = text.split()
    up, slash, down = words[0].partition("/") if words else ("", "", "")
    found = [_RATE.fullmatch(part) for part in (up, down if slash else up)]
    rates = [int(match[1]) * MULTIPLES[match[2].lower()] for match in found if match is not None]
    return (rates[0], rates[1]) if len(rates) == 2 else None
