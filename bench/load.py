"""Many sessions at once: how fast they come up, what they cost, whether they stay. Needs root.

`python -m bench.load [--quick]` makes two namespaces, runs `holdfast serve` in one and a load generator in the other:
MS-CHAPv2 and MPPE-128 for every session, with the dialer's own machines and one packet engine. Prints a table and
asserts nothing.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import secrets
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.demo import command, daemon, until
from bench.echoes import EchoWatch, evenness
from bench.goodbyes import heard_in
from bench.namespaces import joined
from holdfast.dataplane.engine import Engine
from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.settings import KeepaliveSettings, TunnelSettings
from holdfast.dialer.tunnel import Tunnel, Up
from holdfast.errors import DisconnectReason, HoldfastError
from holdfast.secret import Secret
from holdfast.session import SessionState

GATEWAY, CLIENT = "holdfast-load-gateway", "holdfast-load-client"
GATEWAY_OUTER, CLIENT_OUTER, GATEWAY_INNER = "192.0.2.1", "192.0.2.2", "10.64.0.1"
AT_ONCE = 64
IPV4 = b"\x00\x21"
"""The PPP protocol number of an IPv4 packet (RFC 1332)."""
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
ECHO_INTERVAL = 10.0
CONFIG = """
[addresses]
gateway = "10.64.0.1"
pool = ["10.64.0.10-10.64.63.250"]
dns = ["10.64.0.1"]
nat = false
[ppp]
lcp_echo_interval = {interval}
[log]
level = "notice"
"""


# --- the load generator, in the client's namespace -----------------------------------------------------------


class ControlOnlyEngine(Engine):
    """An engine that never opens the network of a call: user packets come up to Python, thousands of clients in one."""

    def open_network(self, handle: int, peer_addresses: tuple[str, ...]) -> None:
        """Leave it closed."""


class LoadTunnel(Tunnel):
    """A tunnel whose user packets come up to Python instead of a TUN device."""

    answered = False

    @property
    def is_up(self) -> bool:
        """Whether the session itself still stands."""
        return self._session.state is SessionState.UP

    def take_upcall(self, upcall: Upcall) -> None:
        """Take note of an answer to our ping; the rest is the tunnel's."""
        if upcall.kind is UpcallKind.FRAME and upcall.frame[:2] == IPV4:
            self.answered = self.answered or upcall.frame[22:23] == b"\0"
        else:
            super().take_upcall(upcall)


class Generator:
    """Brings sessions up, pings through each, holds them and says goodbye."""

    def __init__(self, password: Secret) -> None:
        self._password = password
        self._engine = ControlOnlyEngine(tun_name="load0")
        self._port = EnginePort(self._engine)
        self._settings = TunnelSettings(
            host=GATEWAY_OUTER, user="load", keepalive=KeepaliveSettings(echo_interval=0.0, control_interval=0.0)
        )
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tunnels: list[tuple[LoadTunnel, Up]] = []
        self.failed: list[str] = []

    async def bring_up(self, count: int) -> float:
        """Bring up so many; return the seconds it took."""
        began = time.monotonic()
        await asyncio.gather(*(self._one() for _ in range(count)))
        return time.monotonic() - began

    async def _one(self) -> None:
        async with self._slots:
            tunnel = LoadTunnel(self._settings, self._password, self._port)
            try:
                self._tunnels.append((tunnel, await tunnel.connect(GATEWAY_OUTER)))
            except HoldfastError as error:
                self.failed.append(error.what)

    async def ping_all(self) -> int:
        """Send a ping through each session, again to those that stay silent; return how many answered."""
        for _ in range(5):
            silent = [(tunnel, up) for tunnel, up in self._tunnels if not tunnel.answered]
            for number, (_tunnel, up) in enumerate(silent):
                self._engine.send(up.handle, IPV4 + echo_request(up.local, GATEWAY_INNER))
                if number % 100 == 99:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)
        return sum(tunnel.answered for tunnel, _ in self._tunnels)

    def alive(self) -> int:
        """Return how many sessions are still up."""
        return sum(tunnel.is_up for tunnel, _ in self._tunnels)

    async def say_goodbye(self) -> None:
        """End every session."""
        goodbyes = (tunnel.close(DisconnectReason.USER_REQUEST, "done") for tunnel, _ in self._tunnels)
        await asyncio.gather(*goodbyes)
        self._port.close()
        self._engine.close()


def echo_request(source: str, destination: str) -> bytes:
    """Return an IPv4 packet with an ICMP Echo Request (RFC 792)."""
    icmp = bytearray(struct.pack("!BBHHH", 8, 0, 0, 1, 1) + b"holdfast")
    icmp[2:4] = checksum(icmp)
    addresses = bytes(int(part) for address in (source, destination) for part in address.split("."))
    header = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0) + addresses)
    header[10:12] = checksum(header)
    return bytes(header + icmp)


def checksum(octets: bytes | bytearray) -> bytes:
    """Return the Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


async def generate(count: int, hold: float, interval: float, password: Secret) -> None:
    """Do the whole thing; print what was seen as JSON, and say goodbye at the end of standard input."""
    generator = Generator(password)
    seconds = await generator.bring_up(count)
    answered = await generator.ping_all()
    print("held", flush=True)
    with EchoWatch() as watch:
        await asyncio.sleep(hold)
    alive = generator.alive()
    print("over", flush=True)
    echoes = asdict(evenness(watch.arrivals, interval))
    found = {"seconds": seconds, "answered": answered, "alive": alive, "failed": generator.failed[:3], "echoes": echoes}
    print(json.dumps(found), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await generator.say_goodbye()


def client(count: int, hold: float, interval: float) -> None:
    """Run the generator; the password comes on standard input, the result goes to standard output."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    password = Secret(sys.stdin.readline().strip().encode())
    asyncio.run(generate(count, hold, interval, password))


# --- the measurement -----------------------------------------------------------------------------------------


class Usage:
    """Memory and processor time of a process."""

    def __init__(self, pid: int) -> None:
        self.memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        self.seconds = (int(fields[11]) + int(fields[12])) / TICK
        self.at = time.monotonic()


def measure(count: int, hold: float, interval: float = ECHO_INTERVAL, *, silent: bool = True) -> dict[str, Any]:
    """Run one gateway and one load generator; return what was measured. `silent`: no client answers at the end."""
    with tempfile.TemporaryDirectory(prefix="holdfast-load-") as directory:
        state, config, password = Path(directory, "state"), Path(directory, "config.toml"), secrets.token_hex(12)
        config.write_text(CONFIG.format(interval=interval))
        command("user", "add", "load", "--password-stdin", "--state", str(state), text=password + "\n")
        serving = ("serve", "--state", str(state), "--config", str(config))
        with daemon(GATEWAY, *serving, log=Path(directory, "log")):
            until((state / "control.sock").exists, "the gateway did not come up")
            pid = json.loads(command("status", "--json", "--state", str(state)))["pid"]
            with _generator(count, hold, interval, password) as client:
                found = _observe(pid, client, count)
                return {**found, **stopped(pid, client.pid if silent else 0), "silent": silent}


def stopped(pid: int, client: int) -> dict[str, Any]:
    """Tell a gateway to stop; return how many clients were told what, and after how many seconds the last of them was
    told and the gateway had ended. The process `client` is held still meanwhile, unless it is 0."""
    if client:
        os.kill(client, signal.SIGSTOP)
    try:
        with heard_in(CLIENT) as heard:
            began = time.time()
            os.kill(pid, signal.SIGTERM)
            until(lambda: not _runs(pid), "the gateway does not end")
            ended = time.time() - began
    finally:
        if client:
            os.kill(client, signal.SIGCONT)
    return {"told": heard.summary, "told_in": heard.summary["last"] - began, "stop": ended}


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def _generator(count: int, hold: float, interval: float, password: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the load generator in its namespace; its sessions end with the block."""
    arguments = ("--client", str(count), "--hold", str(hold), "--interval", str(interval))
    with subprocess.Popen(
        ("ip", "netns", "exec", CLIENT, sys.executable, "-m", "bench.load", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        process.stdin.write(password + "\n")
        process.stdin.flush()
        yield process
        process.stdin.close()


def _observe(pid: int, client: "subprocess.Popen[str]", count: int) -> dict[str, Any]:
    """Watch the gateway while the generator makes and holds its sessions."""
    start, said = Usage(pid), client.stdout
    assert said
    assert said.readline().strip() == "held"
    held = Usage(pid)
    assert said.readline().strip() == "over"
    over = Usage(pid)
    return {
        **json.loads(said.readline()),
        "count": count,
        "memory": (over.memory - start.memory) / count / 1024,
        "cpu": (over.seconds - held.seconds) / (over.at - held.at) * 100,
    }


# --- the tables ----------------------------------------------------------------------------------------------

COLUMNS = (
    "sessions",
    "up in s",
    "a second",
    "pinged",
    "alive",
    "KiB each",
    "CPU %",
    "echoes",
    "off by",
    "at most",
)
STOP_COLUMNS = ("sessions", "clients", "Terminate", "Disconnect", "Stop", "told in s", "ended in s")


def print_row(found: dict[str, Any]) -> None:
    """Print what one run found."""
    count, echoes = found["count"], found["echoes"]
    cells = (
        *(f"{count}", f"{found['seconds']:.2f}", f"{count / found['seconds']:.0f}", f"{found['answered']}"),
        *(f"{found['alive']}", f"{found['memory']:.1f}", f"{found['cpu']:.1f}"),
        *(f"{echoes['pairs']}", f"{echoes['median']:.1f} ms", f"{echoes['most']:.1f} ms"),
    )
    print(" ".join(f"{cell:>9}" for cell in cells), flush=True)
    for failure in found["failed"]:
        print(f"          failed: {failure}")


def print_stop(found: dict[str, Any]) -> None:
    """Print how the goodbye of one run went."""
    told = found["told"]
    cells = (
        *(f"{found['count']}", "silent" if found["silent"] else "answering"),
        *(f"{told[kind]}" for kind in ("terminate", "notify", "stop")),
        *(f"{found['told_in']:.2f}", f"{found['stop']:.2f}"),
    )
    print(" ".join(f"{cell:>10}" for cell in cells), flush=True)


def print_promises(small: dict[str, Any], large: dict[str, Any]) -> None:
    """Print what was promised for a thousand and for five thousand sessions, and how much better it is."""
    promises = (
        ("1,000 sessions up, s", 10.0, small["seconds"]),
        ("1,000 sessions idle, % of a core", 3.0, small["cpu"]),
        ("5,000 sessions, KiB each", 60.0, large["memory"]),
        ("5,000 sessions with echoes, % of a core", 15.0, large["cpu"]),
        ("5,000 sessions, echo jitter at most, ms", 100.0, large["echoes"]["most"]),
        ("5,000 silent clients: the last is told, s", 5.0, large["told_in"]),
        ("5,000 silent clients: the gateway ends, s", 5.0, large["stop"]),
    )
    print(f"\n{'':<42}{'promised':>9} {'measured':>9} {'':>13}")
    for what, promised, measured in promises:
        print(f"{what:<42}{promised:>9.0f} {measured:>9.1f} {promised / max(measured, 0.01):>7.1f} times better")


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 sessions for 25 seconds")
    parser.add_argument("--client", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--hold", type=float, default=0.0, help=argparse.SUPPRESS)
    parser.add_argument("--interval", type=float, default=ECHO_INTERVAL, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.client:
        client(options.client, options.hold, options.interval)
        return
    print("Many sessions: MS-CHAPv2 + MPPE-128 each; gateway and generator share this machine's processors.")
    print("CPU: of the whole gateway while sessions idle with echoes every 10 s, in percent of one core;")
    print("off by: from the interval between two echoes of a session, as the client's kernel stamps them")
    print(" ".join(f"{name:>9}" for name in COLUMNS))
    crowds = ((200, 25.0),) if options.quick else ((1000, 30.0), (5000, 60.0))
    results = []
    for count, hold in crowds:
        results.append(_alone(count, hold))
        print_row(results[-1])
    print("\nThe gateway is told to stop (SIGTERM): how many clients got each message, seconds until the last of them")
    print("was told and until the gateway had ended, with clients held still and with clients that answer:")
    print(" ".join(f"{name:>10}" for name in STOP_COLUMNS))
    for found, (count, _) in zip(results, crowds, strict=True):
        print_stop(found)
        print_stop(_alone(count, 1.0, silent=False))
    if not options.quick:
        print_promises(*results)


def _alone(count: int, hold: float, *, silent: bool = True) -> dict[str, Any]:
    with joined(GATEWAY, CLIENT, f"{GATEWAY_OUTER}/24", f"{CLIENT_OUTER}/24"):
        return measure(count, hold, silent=silent)


if __name__ == "__main__":
    main()
