"""What was read from a host, as plain values: the checks judge these and read nothing themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from holdfast.network.nft import Statement

TUNNEL_KINDS = frozenset({"ppp", "tun", "wireguard", "pptp", "l2tp", "gre", "ipip", "sit", "vti", "xfrm"})


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. `kind` is the kernel's word for a virtual one (`tun`, `ppp`, `veth`), else empty."""

    name: str
    mtu: int
    up: bool = True
    kind: str = ""
    addresses: tuple[str, ...] = ()
    """IPv4, with prefix length."""

    @property
    def tunnel(self) -> bool:
        """Whether packets that leave by it are carried inside others."""
        return self.kind in TUNNEL_KINDS or self.name.startswith("ppp")

    @property
    def address(self) -> IPv4Address | None:
        """The first address."""
        return IPv4Interface(self.addresses[0]).ip if self.addresses else None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens on TCP port 1723. `program` and `pid` are empty where this user may not see them."""

    address: str
    program: str = ""
    pid: int = 0
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assignment:
    """A kernel setting in a file that is read at boot. `place` is file and line."""

    place: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Firewall:
    """All rules, in the JSON of libnftables; `trouble` says why some or all could not be read."""

    ruleset: tuple[Statement, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Logs:
    """Where messages are kept. `free` and `size` are octets of the file system of /var/log."""

    journal_persistent: bool = False
    files: tuple[str, ...] = ()
    """Log files that syslog writes."""
    free: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Daemon:
    """The program that serves or dials PPTP here, as far as its configuration tells.

    `pools` are the clients' networks or single addresses; `interfaces` what their packets arrive from, as nftables
    writes it (`ppp*`); `echo_interval` in seconds, 0: none; None where nothing is known. `sees_to` names what the
    program does itself when it starts: `forwarding`, `nat`, `mss`, a firewall `table`. `source`: the file read.
    """

    name: str
    source: str = ""
    pools: tuple[IPv4Network, ...] = ()
    interface: str = "ppp0"
    echo_interval: float | None = None
    mtu: int | None = None
    sees_to: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    """Methods of authentication that a client's pppd will not take."""

    @property
    def uses_pppd(self) -> bool:
        """Whether the kernel's PPP carries the sessions."""
        return self.name != "holdfast"


@dataclass(frozen=True, slots=True)
class HostFacts:
    """A host at one moment. What could not be read is None or in `unreadable`, by name with the reason."""

    root: bool = True
    capabilities: frozenset[str] = frozenset({"CAP_NET_ADMIN", "CAP_NET_RAW"})
    sysctl: Mapping[str, str] = field(default_factory=dict)
    """By path below /proc/sys."""
    boot_settings: tuple[Assignment, ...] = ()
    """In the order in which they are applied: the last one wins."""
    modules: frozenset[str] = frozenset()
    """Loaded or built in."""
    loadable: frozenset[str] | None = None
    """Modules that could be loaded; None where nobody can tell."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """Device file -> empty, or why it cannot be used."""
    listeners: tuple[Listener, ...] = ()
    firewall: Firewall = Firewall()
    interfaces: tuple[Interface, ...] = ()
    uplink: str = ""
    """The interface of the default route (of the route to the server, for a client)."""
    logs: Logs = Logs()
    daemon: Daemon = Daemon("holdfast")

    def interface(self, name: str) -> Interface | None:
        """Return an interface by name."""
        return next((one for one in self.interfaces if one.name == name), None)

    @property
    def uplink_address(self) -> IPv4Address | None:
        """The address by which others know this host."""
        found = self.interface(self.uplink)
        return found.address if found else None
