"""A server that a dialer should not trust: the PAC's machines on real sockets, with a behaviour of one's choice.

Run as a program: ADDRESS, PORT and a JSON object of `Behaviour` fields (`garbage` and `flood` in hex). Needs root.
"""

import asyncio
import json
import sys
from typing import Any

from holdfast.dataplane.engine import Engine
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppePolicy
from unit.dialer.server import Behaviour, ServerConnection


def behaviour(told: dict[str, Any]) -> Behaviour:
    """Read a behaviour from plain data."""
    readers: dict[str, Any] = {
        "methods": lambda names: tuple(map(Method, names)),
        "mppe": MppePolicy,
        "garbage": bytes.fromhex,
        "flood": bytes.fromhex,
    }
    return Behaviour(**{name: readers.get(name, lambda same: same)(value) for name, value in told.items()})


async def main(address: str, port: str, told: str) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    engine, wanted = Engine(tun_name="bad%d"), behaviour(json.loads(told))
    connections: list[ServerConnection] = []

    def deliver() -> None:
        for upcall in engine.poll():
            for connection in connections:
                if connection.owns(upcall.handle):
                    connection.take(upcall)

    loop.add_reader(engine.fileno(), deliver)
    await loop.create_server(lambda: ServerConnection(engine, wanted, connections), address, int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
