"""RADIUS logins and accounting against a FreeRADIUS on this machine (Debian package freeradius).

`python -m bench.radius [--logins N] [--rate N] [--records N]` signs users in with MS-CHAPv2 at a steady rate and says
how long each took; then lets accounting records wait while the server is down and says how long they take once it is
back, whether all came, once and in order. Prints a table and asserts nothing.
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
from pathlib import Path
from typing import Any

from holdfast.config import parse
from holdfast.gateway.accounting import FIRST_PAUSE, Accounting
from holdfast.gateway.radius_client import RadiusClient
from holdfast.gateway.radius_probe import Credentials, make_exchange
from holdfast.policy.accounting_queue import AccountingQueue
from holdfast.policy.accounting_records import Usage, identity, start, stop
from holdfast.policy.radius_login import Place, judge, login_request
from holdfast.radius.codes import TerminateCause
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


class Nobody:
    """What accounting needs of a gateway, without one."""

    def __init__(self) -> None:
        self.subscribers: dict[str, Any] = {}

    def report(self, _event: object, _context: object) -> None:
        """Say nothing."""

    def now(self) -> float:
        """The loop's clock."""
        return asyncio.get_running_loop().time()


async def outage(directory: Path, count: int) -> tuple[float, list[str], list[str]]:
    """Let records wait while the server is down; return the seconds they took, those sent and those that came."""
    expected = [f"{number:06}-{kind}" for number in range(count // 2) for kind in ("Start", "Stop")]
    queue = AccountingQueue(directory / "accounting.db", 10 * count)
    for number in range(count // 2):
        place = Place("bench", "127.0.0.1", "127.0.0.1", f"{number:06}", "c", number % 65536).attributes()
        who = identity("alice", "10.77.0.10", (), place, by_radius=True)
        queue.add([*start(), *who], time.time())
        queue.add([*stop(Usage(60), TerminateCause.USER_REQUEST), *who], time.time())
    with freeradius.running(directory / "radius") as server:
        ports = server
    accounting = Accounting(Nobody(), parse("").config, queue, client_of(ports.accounting))  # type: ignore[arg-type]
    accounting.begin()
    await asyncio.sleep(3 * FIRST_PAUSE)
    with freeradius.running(directory / "radius", ports=(ports.authentication, ports.accounting)) as server:
        began = time.monotonic()
        took = await drained(queue, began)
        await accounting.end()
        records = [one for one in server.detail() if one["Acct-Status-Type"] in ("Start", "Stop")]
    came = [f"{one['Acct-Session-Id']}-{one['Acct-Status-Type']}" for one in records]
    return took, expected, came


async def drained(queue: AccountingQueue, began: float) -> float:
    """Wait until nothing waits any more, five minutes at most; return the seconds since `began`."""
    while True:
        took = time.monotonic() - began
        if not len(queue) or took > 300:
            return took
        await asyncio.sleep(0.05)


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
        seconds, expected, came = await outage(directory, options.records)
        verdict = "all, once, in order" if came == expected else "NOT as they were sent"
        print(f"{len(came)} of {len(expected)} records after an outage: {seconds:.1f} s, {verdict}")
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
    parser.add_argument("--records", type=int, default=1000, help="accounting records that wait")
    options = parser.parse_args(arguments)
    if not freeradius.installed():
        print("needs FreeRADIUS: apt-get install freeradius freeradius-utils")
        return
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(measure(options))


if __name__ == "__main__":
    sys.exit(main())
