"""What a scenario is: peers with their options, a play, and the views of it with the findings that are right there."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.corpus.stage import Stage

MPPE = ("require-mppe-128",)
V2_MPPE = ("require-mschap-v2", "require-mppe-128")
QUICK = ("lcp-restart 1", "lcp-max-configure 8")
"""Gives up negotiating after 8 seconds instead of 30, to save time."""
ECHO = ("lcp-echo-interval 2", "lcp-echo-failure 4")
HEALTHY = ("healthy",)
NOTHING = ("nothing",)
"""The label of a capture that holds no PPTP at all."""


class Where(StrEnum):
    """Where a capture is made."""

    CLIENT = "client"
    SECOND_CLIENT = "client2"
    ROUTER = "router"
    """The router's side towards the server: after NAT."""
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class View:
    """One capture of a scenario. Any of `expected` is a right top finding; `HEALTHY`: nothing above a note."""

    where: Where
    expected: tuple[str, ...]
    only: str = ""
    """A filter of tcpdump, for captures that hold a part."""
    late: bool = False
    """Starts only when the first tunnel is up."""
    tag: str = ""
    """Tells several views from one place apart in the file's name."""


def at_client(*expected: str) -> tuple[View, ...]:
    """Return a view from the client's side alone."""
    return (View(Where.CLIENT, expected),)


def at_server(*expected: str) -> tuple[View, ...]:
    """Return a view from the server's side alone."""
    return (View(Where.SERVER, expected),)


def both(*expected: str) -> tuple[View, ...]:
    """Return views from both sides with the same label."""
    return at_client(*expected) + at_server(*expected)


@dataclass(frozen=True)
class Scenario:
    """One thing broken, or nothing."""

    name: str
    views: tuple[View, ...]
    play: "Callable[[Stage], None]"
    client: tuple[str, ...] = MPPE
    """Lines for the client's pppd."""
    server: tuple[str, ...] = V2_MPPE
    """The same for the server's."""
    user: str = "alice"
    password: str | None = None
    target: str | None = None
    """Where the client dials; the server's address when absent."""
    before: str = ""
    """A script for the router, run before the play."""
    service: str | None = None
    """A script that listens on the server instead of pptpd; empty: nobody does."""
    configuration: str = ""
    """More lines for pptpd's own configuration."""
    pool: str = "10.66.0.10-30"
    lan: str = "192.0.2"
    """The clients' network, the first three numbers."""
    fixed_address: str = "*"
    """The client addresses that the server's list of secrets allows."""
    files: tuple[tuple[str, str], ...] = ()
    """More files, name and text, for the server's /etc/ppp."""
    gateway: str | None = None
    """The configuration of a Holdfast gateway that stands outside the guest, in the place of pptpd."""
    radius: str = ""
    """What the gateway's RADIUS server says to everybody (`lab.corpus.radius_server`); empty: it has none."""
    administer: tuple[tuple[str, ...], ...] = ()
    """Commands for its administrator, before it starts."""
    patience: float = 25.0
    """Seconds that a client may take until it is up or gives up."""
