"""Which interface of this host holds an address."""

import threading
from collections.abc import Callable

from holdfast.errors import HostError
from holdfast.network.netlink import Netlink

FRESH = 60.0
"""Seconds for which an answer counts: clients come by the thousand, addresses move once in a blue moon."""

Work = Callable[[], None]


def beside(work: Work) -> None:
    """Do it in a thread of its own."""
    threading.Thread(target=work, name="interfaces", daemon=True).start()


class Interfaces:
    """Remembers the addresses of this host for a while. Times are those of `clock`, in seconds.

    Asking the kernel takes tens of milliseconds, so no client waits for it: `refresh` once before the first one
    comes, and from then on a stale answer is given while a new one is fetched through `aside`.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        addresses: Callable[[], list[tuple[str, str]]] | None = None,
        aside: Callable[[Work], None] = beside,
    ) -> None:
        self._clock = clock
        self._addresses = addresses or Netlink().addresses
        self._aside = aside
        self._known: dict[str, str] = {}
        self._until = float("-inf")

    def refresh(self) -> None:
        """Ask the kernel. Blocks; what it does not say is not known."""
        try:
            self._known = {text.partition("/")[0]: name for name, text in self._addresses()}
        except HostError:
            self._known = {}

    def holding(self, address: str) -> str:
        """Return the name of the interface that holds `address`; "" when none did when the kernel was asked last."""
        if self._clock() >= self._until:
            self._until = self._clock() + FRESH
            self._aside(self.refresh)
        return self._known.get(address, "")
