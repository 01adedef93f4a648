"""Which interface of this host holds an address."""

from collections.abc import Callable

from holdfast.errors import HostError
from holdfast.network.netlink import Netlink

FRESH = 60.0
"""Seconds for which an answer counts: clients come by the thousand, addresses move once in a blue moon."""


class Interfaces:
    """Remembers the addresses of this host for a while. Times are those of `clock`, in seconds."""

    def __init__(
        self, clock: Callable[[], float], addresses: Callable[[], list[tuple[str, str]]] | None = None
    ) -> None:
        self._clock = clock
        self._addresses = addresses or Netlink().addresses
        self._known: dict[str, str] = {}
        self._until = float("-inf")

    def holding(self, address: str) -> str:
        """Return the name of the interface that holds `address`; "" when none does, or the kernel does not say."""
        if self._clock() >= self._until:
            self._until = self._clock() + FRESH
            try:
                self._known = {text.partition("/")[0]: name for name, text in self._addresses()}
            except HostError:
                self._known = {}
        return self._known.get(address, "")
