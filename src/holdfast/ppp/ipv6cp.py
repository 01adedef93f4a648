"""The IPv6 Control Protocol: the Interface-Identifier option (RFC 5072 section 4.1).

No link offers IPv6 yet: a link answers IPV6CP with a Protocol-Reject. The rules stand ready for the day it does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from holdfast.machine import Entropy
from holdfast.ppp.control_protocol import ControlProtocol
from holdfast.ppp.control_protocol_types import Failure, Judgement
from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import Ipv6cpOption, Option

IDENTIFIER_SIZE = 8
_UNIVERSAL_BIT = 0x02
"""Cleared in an identifier that was drawn at random (RFC 5072 section 4.1)."""


class Ipv6cp(ControlProtocol):
    """IPV6CP of one link."""

    __slots__ = ()
    protocol: ClassVar[int] = Protocol.IPV6CP


class Ipv6cpRules:
    """One Interface-Identifier for each side; they must differ and not be zero."""

    __slots__ = ("_entropy", "_rejected", "failure", "local", "peer")

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self.failure: Failure | None = None
        self.local = self.peer = b""
        self._rejected = False

    def reset(self) -> None:
        """Begin a negotiation anew, with a new tentative identifier."""
        self.failure = None
        self.local = self._draw()
        self.peer = b""
        self._rejected = False

    def request(self) -> list[Option]:
        """Ask for our tentative identifier."""
        return [] if self._rejected else [Option(Ipv6cpOption.INTERFACE_IDENTIFIER, self.local)]

    def confirmed(self, options: Sequence[Option]) -> None:
        """Our identifier holds."""
        self.local = options[0].data if options else b""

    def suggested(self, options: Sequence[Option]) -> None:
        """Take the identifier that the peer suggests when it can be one, else draw another."""
        for option in options:
            if option.type == Ipv6cpOption.INTERFACE_IDENTIFIER:
                usable = len(option.data) == IDENTIFIER_SIZE and any(option.data) and option.data != self.peer
                self.local = option.data if usable else self._draw()

    def refused(self, options: Sequence[Option]) -> None:
        """Do without."""
        self._rejected = any(option.type == Ipv6cpOption.INTERFACE_IDENTIFIER for option in options)

    def judge(self, options: Sequence[Option]) -> Judgement:
        """Grant an identifier that is neither zero nor ours; reject everything else."""
        judgement = Judgement()
        for index, option in enumerate(options):
            if option.type != Ipv6cpOption.INTERFACE_IDENTIFIER or index:
                judgement.rejected.append(option)
            elif len(option.data) != IDENTIFIER_SIZE or not any(option.data) or option.data == self.local:
                judgement.refused.append((option, Option(option.type, self._draw())))
        if not options:
            judgement.wanted.append(Option(Ipv6cpOption.INTERFACE_IDENTIFIER, self._draw()))
        return judgement

    def granted(self, options: Sequence[Option]) -> None:
        """Remember the peer's identifier."""
        self.peer = options[0].data if options else b""

    def _draw(self) -> bytes:
        octets = self._entropy(IDENTIFIER_SIZE)
        return bytes((octets[0] & ~_UNIVERSAL_BIT,)) + octets[1:-1] + bytes((octets[-1] | 1,))

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {"local": self.local, "peer": self.peer, "rejected": self._rejected}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self.local, self.peer, self._rejected = state["local"], state["peer"], state["rejected"]
