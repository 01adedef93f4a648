"""Local Call IDs, unique over the whole gateway.

RFC 2637 asks for uniqueness per peer address pair only, but two clients behind one NAT may look like one peer:
IDs that are unique everywhere can never be confused. An ID is used again as late as possible, so that late GRE of
an ended call does not hit a new one.
"""


class CallIds:
    """Hands out 1 to 65535. Call ID 0 is legal but looks like a fault to many a helper, so it is not ours to give."""

    LAST = 0xFFFF

    __slots__ = ("_next", "_used")

    def __init__(self, start: int) -> None:
        self._next = start % self.LAST
        self._used: set[int] = set()

    def allocate(self) -> int | None:
        """Return a free ID, or None when all are in use."""
        if len(self._used) == self.LAST:
            return None
        while True:
            self._next = self._next % self.LAST + 1
            if self._next not in self._used:
                self._used.add(self._next)
                return self._next

    def release(self, call_id: int) -> None:
        """Give an ID back; one that is not in use is ignored."""
        self._used.discard(call_id)

    def __len__(self) -> int:
        return len(self._used)
