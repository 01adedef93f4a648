"""The host's network as a gateway in memory uses it: routes and filters, noted instead of made."""

from typing import Any

from holdfast.errors import HostError
from holdfast.gateway.client_routes import ClientRoutes
from holdfast.network.gateway import GatewayNetwork


class FakeHost:
    """A host network that takes note; it can refuse."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.refuses = False

    def apply(self, plan: Any) -> None:
        """Add routes."""
        self.done += [f"add {change.route.destination}" for change in plan]

    def undo(self, plan: Any) -> None:
        """Remove routes."""
        self.done += [f"remove {change.route.destination}" for change in plan]

    def filter(self, commands: Any) -> None:
        """Put addresses into the sets of filters, or take them out."""
        if self.refuses:
            raise HostError("nft refuses: no")
        for command in commands:
            for word, body in command.items():
                element = body["element"]
                self.done.append(f"{word} {element['name']} {element['elem'][0]}")


def host_of(world: Any) -> FakeHost:
    """Let the gateway of a unit test's world have a host, with the filters `guests` and `staff`."""
    host = FakeHost()
    pool = world.pool.ranges()[0]
    filters = {"guests": (), "staff": ()}
    plan = GatewayNetwork("fake0", (), ((pool.first, pool.last),), filters=filters)
    world.gateway.addressing._routes = ClientRoutes(host, plan, world.gateway.report)
    return host
