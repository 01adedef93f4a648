"""The PPP link of a session: every control protocol, what was agreed, how it ended."""

from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address

from holdfast.capture.authentication import Authentication
from holdfast.capture.moment import Moment
from holdfast.capture.negotiation import Asking, Negotiation
from holdfast.capture.ppp_trace import PppFault, PppItem
from holdfast.ppp.authentication_types import Method, method_from_option
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import CcpOption, IpcpOption, LcpOption
from holdfast.ppp.termination import TerminateCause, terminate_cause

STATELESS, BITS_56, BITS_128, BITS_40 = 1 << 24, 0x80, 0x40, 0x20
"""The bits of the MPPE option (RFC 3078 section 2)."""


@dataclass(frozen=True, slots=True)
class Mppe:
    """What CCP agreed on."""

    bits: int
    stateless: bool
    opened: Moment


@dataclass(frozen=True, slots=True)
class Ending:
    """A Terminate-Request and what it says."""

    moment: Moment
    from_client: bool
    protocol: int
    cause: TerminateCause


@dataclass
class Link:
    """One PPP link as seen from outside."""

    items: list[PppItem]
    faults: list[PppFault] = field(default_factory=list)
    lcp: Negotiation = field(default_factory=lambda: Negotiation(Protocol.LCP))
    ccp: Negotiation = field(default_factory=lambda: Negotiation(Protocol.CCP))
    ipcp: Negotiation = field(default_factory=lambda: Negotiation(Protocol.IPCP))
    ipv6cp: Negotiation = field(default_factory=lambda: Negotiation(Protocol.IPV6CP))
    authentication: Authentication = field(default_factory=Authentication)
    endings: list[Ending] = field(default_factory=list)
    resets: list[PppItem] = field(default_factory=list)
    """CCP Reset-Requests: a receiver lost step (RFC 3078 section 9)."""

    def __post_init__(self) -> None:
        """Sort every packet to its protocol."""
        self.items.sort(key=lambda item: item.moment)
        for item in self.items:
            self._take(item)

    def negotiation(self, protocol: int) -> Negotiation | None:
        """Return the negotiation of a protocol that is known here."""
        known = (self.lcp, self.ccp, self.ipcp, self.ipv6cp)
        return next((each for each in known if each.protocol == protocol), None)

    def _take(self, item: PppItem) -> None:
        if item.protocol in (Protocol.PAP, Protocol.CHAP, Protocol.EAP):
            self.authentication.take(item, self._method_of(item))
            return
        negotiation = self.negotiation(item.protocol)
        if negotiation is None:
            return
        negotiation.take(item)
        code = item.packet.code
        if code == Code.TERMINATE_REQUEST:
            self.endings.append(Ending(item.moment, item.from_client, item.protocol, terminate_cause(item.packet.data)))
        elif code == Code.PROTOCOL_REJECT and item.protocol == Protocol.LCP:
            rejected = self.negotiation(int.from_bytes(item.packet.data[:2]))
            if rejected is not None:
                rejected.rejections.append(item)
        elif code == Code.RESET_REQUEST and item.protocol == Protocol.CCP:
            self.resets.append(item)

    def _method_of(self, item: PppItem) -> Method | None:
        """What the receiver of a Response asked for in LCP."""
        return asked_method(self.lcp.side(not item.from_client))

    @cached_property
    def method(self) -> Method | None:
        """How the client was asked to prove itself, by what LCP agreed on or else asked for last."""
        return asked_method(self.lcp.server) or self.authentication.method

    @cached_property
    def ended(self) -> Ending | None:
        """The first Terminate-Request of LCP."""
        return next((ending for ending in self.endings if ending.protocol == Protocol.LCP), None)

    @cached_property
    def mppe(self) -> Mppe | None:
        """The encryption agreed on; None without. Both directions agree on the same in practice; the weaker counts."""
        opened = self.ccp.opened
        values = [self.ccp.client.value(CcpOption.MPPE), self.ccp.server.value(CcpOption.MPPE)]
        numbers = [int.from_bytes(value) for value in values if value is not None and len(value) == 4]
        if opened is None or not numbers:
            return None
        bits = min(_strength(number) for number in numbers)
        return Mppe(bits, all(number & STATELESS for number in numbers), opened) if bits else None

    @cached_property
    def client_address(self) -> str:
        """The address that the client got inside the tunnel; empty when none was agreed."""
        return _address(self.ipcp.client)

    @cached_property
    def server_address(self) -> str:
        """The server's address inside the tunnel; empty when none was agreed."""
        return _address(self.ipcp.server)

    @cached_property
    def dns(self) -> list[str]:
        """The DNS servers that the client got."""
        values = (self.ipcp.client.value(kind) for kind in (IpcpOption.PRIMARY_DNS, IpcpOption.SECONDARY_DNS))
        found = (str(IPv4Address(value)) for value in values if value is not None and len(value) == 4 and any(value))
        return list(dict.fromkeys(found))

    def mru(self, client: bool) -> int | None:
        """Return the MRU that one side asked for and got; None when it kept the default of 1500."""
        value = self.lcp.side(client).value(LcpOption.MRU)
        return int.from_bytes(value) if value is not None and len(value) == 2 else None


def asked_method(asking: Asking) -> Method | None:
    """Return the authentication that a side got agreement on, or asked for last."""
    agreed = asking.value(LcpOption.AUTHENTICATION_PROTOCOL)
    values = [agreed] if agreed is not None else asking.asked(LcpOption.AUTHENTICATION_PROTOCOL)
    return method_from_option(values[-1]) if values else None


def mppe_bits(value: bytes | None) -> int:
    """Return the bits of an MPPE option, 0 when there is none."""
    return int.from_bytes(value) if value is not None and len(value) == 4 else 0


def _strength(number: int) -> int:
    if number & BITS_128:
        return 128
    if number & BITS_56:
        return 56
    return 40 if number & BITS_40 else 0


def _address(asking: Asking) -> str:
    value = asking.value(IpcpOption.IP_ADDRESS)
    return str(IPv4Address(value)) if value is not None and len(value) == 4 and any(value) else ""
