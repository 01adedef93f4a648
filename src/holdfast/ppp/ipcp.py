"""The IP Control Protocol: IP-Address (RFC 1332 section 3.3), DNS and NBNS servers (RFC 1877 section 1).

Van Jacobson compression (RFC 1332 section 3.2) is rejected: the engine does not compress headers.
"""

from collections.abc import Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import Any, ClassVar

from holdfast.errors import DisconnectReason
from holdfast.ppp.commands import AddressAssignment
from holdfast.ppp.config import IpcpConfig, RestartConfig
from holdfast.ppp.control_protocol import ControlProtocol
from holdfast.ppp.control_protocol_types import Failure, Judgement, Layer, Outbox
from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import IpcpOption, Option

ANY = bytes(4)
"""0.0.0.0: the sender has no address and wants to be told (RFC 1332 section 3.3)."""

DNS_OPTIONS = (IpcpOption.PRIMARY_DNS, IpcpOption.SECONDARY_DNS)
WINS_OPTIONS = (IpcpOption.PRIMARY_NBNS, IpcpOption.SECONDARY_NBNS)
SERVER_OPTIONS = frozenset((*DNS_OPTIONS, *WINS_OPTIONS))


class Ipcp(ControlProtocol):
    """IPCP of one link."""

    __slots__ = ("options",)
    protocol: ClassVar[int] = Protocol.IPCP

    def __init__(self, config: RestartConfig, rules: "IpcpRules", layer: Layer, outbox: Outbox) -> None:
        super().__init__(config, rules, layer, outbox)
        self.options = rules


def usable_host(address: bytes) -> bool:
    """Whether four octets can be the inner address of one end: no loopback, multicast, broadcast or zero network."""
    if len(address) != 4 or address[0] == 0:
        return False
    ip = IPv4Address(address)
    return not (ip.is_loopback or ip.is_multicast or ip.is_reserved)


def address_text(address: bytes) -> str:
    """Return an address as text, empty for none."""
    return str(IPv4Address(address)) if len(address) == 4 and address != ANY else ""


def address_octets(text: str) -> bytes:
    """Return an address as octets, `ANY` for empty text. Raises ValueError for text that is no IPv4 address."""
    try:
        return IPv4Address(text).packed if text else ANY
    except AddressValueError as error:
        raise ValueError(str(error)) from error


class IpcpRules:
    """The addresses of both sides, in either role.

    A gateway calls `assign` before IPCP opens; it holds to these addresses. A dialer asks for an address and takes
    what it is given. `local`, `peer`: addresses as four octets, `ANY` when not agreed; `servers`: by option type.
    """

    __slots__ = ("_assigned", "_config", "_given", "_rejected", "failure", "local", "peer", "servers")

    def __init__(self, config: IpcpConfig) -> None:
        self._config = config
        self._assigned: AddressAssignment | None = None
        self._given: dict[int, bytes] = {}
        self.reset()

    def assign(self, assignment: AddressAssignment) -> None:
        """Hold to these addresses and servers (a gateway). Raises ValueError for text that is no IPv4 address."""
        for text in (assignment.local, assignment.peer, *assignment.dns, *assignment.wins):
            address_octets(text)
        self._assigned, self._given = assignment, _servers(assignment)
        self.reset()

    @property
    def assigned(self) -> AddressAssignment | None:
        """What `assign` was told."""
        return self._assigned

    def reset(self) -> None:
        """Begin a negotiation anew."""
        self.failure: Failure | None = None
        self._rejected: set[int] = set()
        self.peer = ANY
        self.servers: dict[int, bytes] = {}
        if self._assigned is not None:
            self.local = address_octets(self._assigned.local)
            self.servers = dict(self._given)
            return
        self.local = address_octets(self._config.wish)
        if self._config.ask_dns:
            self.servers |= dict.fromkeys(DNS_OPTIONS, ANY)
        if self._config.ask_wins:
            self.servers |= dict.fromkeys(WINS_OPTIONS, ANY)

    @property
    def dns(self) -> tuple[str, ...]:
        """The DNS servers for the side that asked, in order."""
        return self._servers_as_text(DNS_OPTIONS)

    @property
    def wins(self) -> tuple[str, ...]:
        """The NBNS servers for the side that asked, in order."""
        return self._servers_as_text(WINS_OPTIONS)

    def _servers_as_text(self, types: Sequence[int]) -> tuple[str, ...]:
        texts = (address_text(self.servers.get(number, ANY)) for number in types)
        return tuple(text for text in texts if text)

    # --- our options ---------------------------------------------------------------------------------------

    def request(self) -> list[Option]:
        """Ask for our address; a dialer asks for servers as well."""
        options = [Option(IpcpOption.IP_ADDRESS, self.local)]
        if self._assigned is None:
            options += [Option(number, address) for number, address in self.servers.items()]
        return [option for option in options if option.type not in self._rejected]

    def confirmed(self, options: Sequence[Option]) -> None:
        """The peer granted our address: it must be one."""
        ours = Option(IpcpOption.IP_ADDRESS, self.local)
        if ours in options and not usable_host(self.local):
            self._fail(f"the peer granted us the address {IPv4Address(self.local)}, which no host can have")

    def suggested(self, options: Sequence[Option]) -> None:
        """A dialer takes what it is given; a gateway keeps its own address."""
        if self._assigned is not None:
            return
        for option in options:
            if len(option.data) != 4:
                continue
            if option.type == IpcpOption.IP_ADDRESS:
                self._take_address(option.data)
            elif option.type in self.servers:
                self.servers[option.type] = option.data

    def refused(self, options: Sequence[Option]) -> None:
        """Do without a server; a dialer cannot do without an address."""
        for option in options:
            self._rejected.add(option.type)
            if self._assigned is not None:
                continue
            self.servers.pop(option.type, None)
            if option.type == IpcpOption.IP_ADDRESS:
                self._fail("the peer rejects the IP-Address option: it assigns no address")

    def _take_address(self, address: bytes) -> None:
        if usable_host(address):
            self.local = address
        else:
            self._fail(f"the peer assigned us the address {IPv4Address(address)}, which no host can have")

    def _fail(self, detail: str) -> None:
        self.failure = Failure(DisconnectReason.NO_ADDRESS, detail)

    # --- the peer's options --------------------------------------------------------------------------------

    def judge(self, options: Sequence[Option]) -> Judgement:
        """Grant the assigned address and our servers; reject compression and everything else."""
        judgement = Judgement()
        seen: set[int] = set()
        for option in options:
            suggestion = None if option.type in seen else self._acceptable(option)
            seen.add(option.type)
            if suggestion is None:
                judgement.rejected.append(option)
            elif suggestion != option:
                judgement.refused.append((option, suggestion))
        if self._assigned is not None and IpcpOption.IP_ADDRESS not in seen:
            judgement.wanted.append(Option(IpcpOption.IP_ADDRESS, address_octets(self._assigned.peer)))
        return judgement

    def _acceptable(self, option: Option) -> Option | None:
        """Return what we would acknowledge in place of `option`, None when we would nothing of its kind."""
        if option.type == IpcpOption.IP_ADDRESS:
            return self._acceptable_address(option)
        if self._assigned is not None and option.type in self.servers:
            return Option(option.type, self.servers[option.type])
        return None

    def _acceptable_address(self, option: Option) -> Option | None:
        """A gateway grants only what it assigned; a dialer takes any real address, and has none to give."""
        if self._assigned is not None:
            return Option(option.type, address_octets(self._assigned.peer))
        return option if usable_host(option.data) else None

    def granted(self, options: Sequence[Option]) -> None:
        """Remember the peer's address."""
        addresses = (option.data for option in options if option.type == IpcpOption.IP_ADDRESS)
        self.peer = next(addresses, ANY)

    # --- state as data -------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        given = self._assigned
        return {
            "assigned": given and [given.local, given.peer, list(given.dns), list(given.wins)],
            "rejected": sorted(self._rejected),
            "local": self.local,
            "peer": self.peer,
            "servers": [[int(number), address] for number, address in self.servers.items()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        given = state["assigned"]
        if given is not None:
            self._assigned = AddressAssignment(given[0], given[1], tuple(given[2]), tuple(given[3]))
            self._given = _servers(self._assigned)
        self._rejected = set(state["rejected"])
        self.local, self.peer = state["local"], state["peer"]
        self.servers = dict(state["servers"])


def requested_address(options: Sequence[Option]) -> str | None:
    """Return the address that a Configure-Request wishes for, None when it leaves the choice to us."""
    for option in options:
        if option.type == IpcpOption.IP_ADDRESS and usable_host(option.data):
            return address_text(option.data)
    return None


def _servers(assignment: AddressAssignment) -> dict[int, bytes]:
    pairs = (*zip(DNS_OPTIONS, assignment.dns, strict=False), *zip(WINS_OPTIONS, assignment.wins, strict=False))
    return {int(number): address_octets(text) for number, text in pairs}
