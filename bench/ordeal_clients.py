"""Clients for `bench.ordeal`: they dial, ping, hang up and dial again under another name, whatever the gateway does.

Runs in the clients' namespace: `python -m bench.ordeal_clients COUNT SEED [NAMES]`; with NAMES, that many are used
again and again. When standard input ends, everybody hangs up, and one line of JSON says of each session: the user,
whether it was up for certain (a ping came back), the octets sent through it, how many of them before the first answer,
and how it ended.
"""

import asyncio
import contextlib
import json
import random
import sys
from typing import Any

from bench.load import IPV4, ControlOnlyEngine, LoadTunnel, echo_request
from bench.ordeal import GATEWAY_INNER, GATEWAY_OUTER, PASSWORD, USERS, name_of
from holdfast.dialer.engine_port import EnginePort
from holdfast.dialer.settings import KeepaliveSettings, TunnelSettings
from holdfast.errors import DisconnectReason, HoldfastError
from holdfast.secret import Secret

PING_INTERVAL = 0.2
PAUSE = 0.3
"""Seconds before the next dial of a client whose last one failed."""


class Crowd:
    """So many clients at a time, until told to stop."""

    def __init__(self, seed: int, names: int = 0) -> None:
        self._engine = ControlOnlyEngine(tun_name="ordeal0")
        self._port = EnginePort(self._engine)
        self._dice = random.Random(seed)
        self._next, self._names = 0, names
        self._stop = asyncio.Event()
        self.sessions: list[dict[str, Any]] = []

    async def run(self, count: int) -> None:
        """Let them come and go."""
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin, self._stop.set)
        await asyncio.gather(*(self._client() for _ in range(count)))
        self._port.close()
        self._engine.close()

    async def _client(self) -> None:
        while not self._stop.is_set() and (self._names or self._next < USERS):
            if not await self._somebody_listens():
                await self._wait(PAUSE)
                continue
            user, self._next = name_of(self._next % (self._names or USERS)), self._next + 1
            session = {"user": user, "up": False, "octets": 0, "doubtful": 0, "end": "never up"}
            self.sessions.append(session)
            with contextlib.suppress(HoldfastError, OSError):
                await self._one(session)
            if session["end"] == "never up":
                await self._wait(PAUSE)

    @staticmethod
    async def _somebody_listens() -> bool:
        """Whether dialling makes sense: no name is used up while the gateway is dead."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                _, writer = await asyncio.open_connection(GATEWAY_OUTER, 1723)
            writer.close()
            return True
        return False

    async def _one(self, session: dict[str, Any]) -> None:
        keepalive = KeepaliveSettings(echo_interval=0.0, control_interval=0.0)
        settings = TunnelSettings(host=GATEWAY_OUTER, user=session["user"], keepalive=keepalive)
        tunnel = LoadTunnel(settings, Secret.from_text(PASSWORD), self._port)
        up = await tunnel.connect(GATEWAY_OUTER)
        session["end"] = "lost"
        packet = echo_request(up.local, GATEWAY_INNER)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._dice.uniform(0.3, 12.0)
        while tunnel.is_up and loop.time() < end and not self._stop.is_set():
            self._engine.send(up.handle, IPV4 + packet)
            session["octets"] += len(packet)
            if not session["up"]:  # the gateway may not have opened its side yet
                session["doubtful"] += len(packet)
            await self._wait(PING_INTERVAL)
            if tunnel.answered and not session["up"]:
                session["up"] = True
                print("up", flush=True)
        if tunnel.is_up:
            await tunnel.close(DisconnectReason.USER_REQUEST, "done")
            session["end"] = "goodbye"

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)


async def main(count: int, seed: int, names: int = 0) -> None:
    """Run, and say what was."""
    crowd = Crowd(seed, names)
    await crowd.run(count)
    print(json.dumps(crowd.sessions), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
