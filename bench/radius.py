"""RADIUS logins and accounting against a FreeRADIUS on this machine (Debian package freeradius).

`python -m bench.radius` signs users in with MS-CHAPv2 at a steady rate and says how long each took; holds 5,000
sessions with an update a minute each and says what that costs; then lets the server be down for five minutes with 500
and says how long what waited took after its return, and whether all came, once and in order. Takes eight minutes, all
numbers can be changed. Prints a table and asserts nothing.
"""

import argparse
import asyncio
import contextlib
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from holdfast.config import parse
from holdfast.dataplane.interface import Counters
from holdfast.errors import DisconnectReason
from holdfast.events import InternalFault, IpOpened, SessionEnded
from holdfast.gateway.accounting import Accounting
from holdfast.gateway.radius_client import RadiusClient
from holdfast.gateway.radius_probe import Credentials, make_exchange
from holdfast.policy.accounting_changes import Waiting
from holdfast.policy.accounting_journal import AccountingJournal
from holdfast.policy.accounting_queue import AccountingQueue
from holdfast.policy.effective import SessionPolicy
from holdfast.policy.radius_login import Place, judge, login_request
from holdfast.radius.attributes import Attributes, read_attributes
from holdfast.radius.dictionary import VALUES
from holdfast.radius.exchange_types import ExchangeConfig, ServerConfig
from holdfast.secret import Secret
from tests.support import freeradius

PLACE = Place("bench", "127.0.0.1", "127.0.0.1", "s", "c", 1)


def client_of(port: int) -> RadiusClient:
    """A client for a server on this machine."""
    servers = {("127.0.0.1", port): ServerConfig("bench", Secret.from_text(freeradius.SECRET))}
    return RadiusClient(servers, ExchangeConfig(), secrets.token_bytes, lambda _event: None)


async def logins(port: int, count: int, rate: float) -> tuple[list[float], int, float]:
    """Sign in `count` times at `rate` a second; return milliseconds, how many were let in, and seconds of our CPU."""
    client, loop = client_of(port), asyncio.get_running_loop()
    credentials = Credentials("alice", Secret(b"secret"))

    async def one(at: float) -> tuple[float, bool]:
        await asyncio.sleep(at - loop.time())
        exchange = make_exchange(credentials)
        request = login_request(exchange, PLACE)
        assert request is not None
        began = loop.time()
        judgement = judge(await client.ask(request), exchange)
        return (loop.time() - began) * 1000, judgement.verdict.accepted

    before, began = time.process_time(), loop.time() + 0.1
    results = await asyncio.gather(*(one(began + number / rate) for number in range(count)))
    client.close()
    return [took for took, _ in results], sum(good for _, good in results), time.process_time() - before


Noted = list[tuple[str, str]]
"""Session and kind of each record."""


class Sessions:
    """What accounting needs of a gateway, with sessions that move octets and no packets."""

    def __init__(self, interval: float) -> None:
        self.subscribers: dict[str, Any] = {}
        self._policy = SessionPolicy(accounting_interval=interval)

    def report(self, event: object, _context: object) -> None:
        """Say what went wrong."""
        if isinstance(event, InternalFault):
            print(event)

    def now(self) -> float:
        """The loop's clock."""
        return asyncio.get_running_loop().time()

    def counters(self, _subscriber: object) -> Counters:
        """All have moved as much as they are old."""
        moved = int(self.now() * 1000)
        return Counters(bytes_in=moved, bytes_out=2 * moved, packets_in=moved // 100, packets_out=moved // 50)

    def open(self, accounting: Accounting, name: str) -> None:
        """One more session is up."""
        connection = SimpleNamespace(server="127.0.0.1", client="127.0.0.1", connection_id="c", vendor="bench")
        session = SimpleNamespace(session_id=name)
        self.subscribers[name] = SimpleNamespace(
            session=session, connection=connection, local_call_id=1, grant=None, user="alice", policy=self._policy
        )
        accounting.observe(IpOpened("10.77.0.1", "10.77.0.10"), {"session": name})

    def close(self, accounting: Accounting, name: str) -> None:
        """It is over."""
        ended = SessionEnded(DisconnectReason.USER_REQUEST, "", "alice", 1, 2, 3, 4, 60.0)
        accounting.observe(ended, {"session": name})


def accounting_of(directory: Path, port: int, interval: float) -> tuple[Accounting, list[Waiting], Sessions]:
    """An accounting with a queue of its own, that has begun, and a list of what is put into that."""
    path, sessions, noted = directory / f"{interval:g}-{port}.db", Sessions(interval), list[Waiting]()
    kept = AccountingQueue(path, 1_000_000), AccountingJournal(path.with_suffix(".journal"))
    accounting = Accounting(sessions, parse("").config, kept, client_of(port))  # type: ignore[arg-type]
    put = accounting.delivery.put

    def note(record: Waiting) -> None:
        noted.append(record)
        put(record)

    accounting.delivery.put = note  # type: ignore[method-assign]
    accounting.begin()
    return accounting, noted, sessions


async def updates(directory: Path, port: int, count: int, seconds: float) -> tuple[float, float]:
    """Hold so many sessions with an update a minute each; return percent of a core, and updates a second."""
    accounting, noted, sessions = accounting_of(directory, port, 60.0)
    for number in range(count):
        sessions.open(accounting, f"{number:06}")
        if number % 100 == 99:  # they came over a minute, not all at once
            await asyncio.sleep(60 * 100 / count)
    await drained(accounting, time.monotonic())
    before, began, first = time.process_time(), time.monotonic(), len(noted)
    await asyncio.sleep(seconds)
    lasted = time.monotonic() - began
    cpu, rate = (time.process_time() - before) / lasted * 100, (len(noted) - first) / lasted
    await accounting.end()
    return cpu, rate


async def outage(directory: Path, count: int, seconds: float) -> tuple[float, list[tuple[str, str]], Any]:
    """Hold sessions while the server is down, end half of them; return the seconds that what waited then took, what
    was put in, and what FreeRADIUS has."""
    ports = freeradius.free_ports(2)
    with freeradius.running(directory / "radius", ports=ports):
        accounting, noted, sessions = accounting_of(directory, ports[1], 60.0)
        for number in range(count):
            sessions.open(accounting, f"{number:06}")
        await drained(accounting, time.monotonic())
    await asyncio.sleep(seconds)
    for number in range(0, count, 2):
        sessions.close(accounting, f"{number:06}")
    waited = len(accounting.delivery)
    server = await asyncio.to_thread(freeradius.start, directory / "radius")
    try:
        took = await drained(accounting, time.monotonic())
        await accounting.end()
    finally:
        server.terminate()
        server.wait(10)
    records = freeradius.FreeRadius(directory / "radius", *ports).detail()
    print(f"  {waited} records waited")
    return took, said_by(noted), [(one["Acct-Session-Id"], one["Acct-Status-Type"]) for one in records]


async def drained(accounting: Accounting, began: float) -> float:
    """Wait until nothing waits any more, five minutes at most; return the seconds since `began`."""
    while True:
        took = time.monotonic() - began
        if not len(accounting.delivery) or took > 300:
            return took
        await asyncio.sleep(0.05)


def said_by(records: list[Waiting]) -> Noted:
    """Return session and kind of each record."""
    values = [Attributes(read_attributes(record.octets)) for record in records]
    kinds = VALUES["Acct-Status-Type"]
    return [(one.text("Acct-Session-Id"), kinds[one.integer("Acct-Status-Type") or 0]) for one in values]


def by_session(records: Noted) -> dict[str, list[str]]:
    """Return the kinds of each session's records, in order."""
    found: dict[str, list[str]] = {}
    for session, kind in records:
        found.setdefault(session, []).append(kind)
    return found


async def measure(options: argparse.Namespace) -> None:
    """Do both and print."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with freeradius.running(directory / "first") as server:
            bare = await bare_latency(server.authentication)
            took, good, cpu = await logins(server.authentication, options.logins, options.rate)
        ordered = sorted(took)
        print(f"{options.logins} logins by MS-CHAPv2 at {options.rate:g}/s: {good} let in")
        print(
            f"  median {statistics.median(took):.1f} ms, 99 % {ordered[int(len(ordered) * 0.99) - 1]:.1f} ms, "
            f"worst {ordered[-1]:.1f} ms; our CPU {100 * cpu * options.rate / options.logins:.1f} % of a core"
        )
        print(f"  a radclient of FreeRADIUS, one at a time: {bare:.1f} ms (its start included)")
        with freeradius.running(directory / "second") as server:
            cpu, rate = await updates(directory, server.accounting, options.sessions, options.hold)
        print(f"{options.sessions} sessions with an update each 60 s ({rate:.0f}/s): {cpu:.1f} % of a core")
        print(f"FreeRADIUS down for {options.outage:g} s with {options.down} sessions:", flush=True)
        seconds, expected, came = await outage(directory, options.down, options.outage)
        same = Counter(came) == Counter(expected) and by_session(came) == by_session(expected)
        verdict = "all, once, each session in order" if same else "NOT as they were sent"
        print(f"  {len(came)} of {len(expected)} records are there {seconds:.1f} s after its return: {verdict}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  memory at most {peak:.0f} MB")


async def bare_latency(port: int) -> float:
    """How long FreeRADIUS' own client takes for one request, in milliseconds: the measure of this machine."""
    command = ["radclient", "-q", f"127.0.0.1:{port}", "auth", freeradius.SECRET]
    text = 'User-Name = "alice", User-Password = "secret", Message-Authenticator = 0x00'
    times = []
    for _ in range(5):
        began = time.monotonic()
        await asyncio.to_thread(subprocess.run, command, input=text, text=True, capture_output=True, check=True)
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


def main(arguments: list[str] | None = None) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logins", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--sessions", type=int, default=5000, help="sessions with an update a minute")
    parser.add_argument("--hold", type=float, default=60.0, help="seconds that these are measured")
    parser.add_argument("--outage", type=float, default=300.0, help="seconds that the server is down")
    parser.add_argument("--down", type=int, default=500, help="sessions meanwhile")
    options = parser.parse_args(arguments)
    if not freeradius.installed():
        print("needs FreeRADIUS: apt-get install freeradius freeradius-utils")
        return
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(measure(options))


if __name__ == "__main__":
    sys.exit(main())
