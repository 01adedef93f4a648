"""The single changes that a plan is made of.

A change knows how to look before it acts (`inspect`: what must be remembered to put things back, or None when
there is nothing to do), how to act and how to undo. Undoing is always safe: it first looks whether the change
is still there. Each is written down as plain data, so that another process can undo what a killed one did.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Protocol

from holdfast.errors import HostError
from holdfast.events import FirewallPurpose
from holdfast.network.files import ReplaceFile
from holdfast.network.kernel import Kernel
from holdfast.network.netlink import MAIN_TABLE, Route, Rule
from holdfast.network.nft import Statement
from holdfast.network.resolved import UseResolved

Memory = dict[str, Any]
"""What `inspect` saw, as plain JSON data."""


class AlreadySoError(HostError):
    """Somebody else has just made the same change: it is theirs to undo."""


class Change(Protocol):
    """One change of the host. Implementations are frozen dataclasses."""

    kind: ClassVar[str]
    survives_boot: ClassVar[bool]
    """Whether the change outlives a reboot, as a file does and a route does not."""

    def __str__(self) -> str:
        """Say in a few words what is changed."""

    def inspect(self, kernel: Kernel) -> Memory | None:
        """Return what `undo` needs to know, or None when the host is already so."""

    def apply(self, kernel: Kernel) -> None:
        """Make the change. HostError when the host refuses: then nothing of it stands.

        AlreadySoError when somebody else has made it since `inspect` looked.
        """

    def undo(self, kernel: Kernel, memory: Memory) -> bool:
        """Put back what was; False when there was nothing left to undo."""

    def plain(self) -> dict[str, Any]:
        """Return the fields as plain JSON data."""

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "Change":
        """Make the change from what `plain` returned."""


@dataclass(frozen=True, slots=True)
class AddAddress:
    """An address (`10.77.0.1/32`) on an interface; `peer` for a point-to-point address."""

    interface: str
    address: str
    peer: str = ""
    kind: ClassVar[str] = "address"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"address {self.address} on {self.interface}"

    def inspect(self, kernel: Kernel) -> Memory | None:
        """Leave an address alone that is there already."""
        return None if kernel.netlink.has_address(self.interface, self.address) else {}

    def apply(self, kernel: Kernel) -> None:
        """Add the address."""
        kernel.netlink.add_address(self.interface, self.address, self.peer)

    def undo(self, kernel: Kernel, memory: Memory) -> bool:  # noqa: ARG002  # the protocol's signature
        """Remove the address."""
        return kernel.netlink.remove_address(self.interface, self.address, self.peer)

    def plain(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "AddAddress":
        """Make the change from its fields."""
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class SetLink:
    """An interface set up, with an MTU in octets."""

    interface: str
    mtu: int
    kind: ClassVar[str] = "link"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"link {self.interface} up with MTU {self.mtu}"

    def inspect(self, kernel: Kernel) -> Memory | None:
        """Remember MTU and state of the link."""
        link = kernel.netlink.link(self.interface)
        if link is None:
            raise HostError("there is no such interface", where=f"link {self.interface}")
        return None if (link.mtu, link.up) == (self.mtu, True) else {"mtu": link.mtu, "up": link.up}

    def apply(self, kernel: Kernel) -> None:
        """Set MTU and state."""
        kernel.netlink.set_link(self.interface, mtu=self.mtu, up=True)

    def undo(self, kernel: Kernel, memory: Memory) -> bool:
        """Set MTU and state as they were, where the link still is as we left it."""
        link = kernel.netlink.link(self.interface)
        if link is None or (link.mtu, link.up) == (memory["mtu"], memory["up"]):
            return False
        kernel.netlink.set_link(self.interface, mtu=memory["mtu"], up=memory["up"])
        return True

    def plain(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "SetLink":
        """Make the change from its fields."""
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class AddRoute:
    """A route."""

    route: Route
    kind: ClassVar[str] = "route"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"route {self.route}"

    def inspect(self, kernel: Kernel) -> Memory | None:
        """Leave a route alone that is there already; remember which interface it was, whatever it is called later."""
        if kernel.netlink.has_route(self.route):
            return None
        index = kernel.netlink.index(self.route.interface)
        return {"index": index} if index else {}

    def apply(self, kernel: Kernel) -> None:
        """Add the route."""
        try:
            kernel.netlink.add_route(self.route)
        except HostError:
            if kernel.netlink.has_route(self.route):
                raise AlreadySoError("it is there already", where=str(self)) from None
            raise

    def is_lost(self, kernel: Kernel) -> bool:
        """Whether the route is gone although its interface is up: the kernel drops routes when an interface goes down.

        The main table, which may be large, is looked through only when packets do not go where they should.
        """
        link = kernel.netlink.link(self.route.interface)
        if link is None or not link.up:
            return False
        if self.route.table == MAIN_TABLE:
            found = kernel.netlink.route_to(self.route.destination.partition("/")[0])
            if found is not None and found.interface == self.route.interface:
                return False
        return not kernel.netlink.has_route(self.route)

    def undo(self, kernel: Kernel, memory: Memory) -> bool:
        """Remove the route, also from an interface that got another name meanwhile."""
        now = kernel.netlink.name(memory.get("index", 0)) or self.route.interface
        return kernel.netlink.remove_route(replace(self.route, interface=now))

    def plain(self) -> dict[str, Any]:
        """Return the fields of the route."""
        return asdict(self.route)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "AddRoute":
        """Make the change from the fields of the route."""
        return cls(Route(**fields))


@dataclass(frozen=True, slots=True)
class AddRule:
    """A policy routing rule."""

    rule: Rule
    kind: ClassVar[str] = "rule"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return str(self.rule)

    def inspect(self, kernel: Kernel) -> Memory | None:
        """Leave a rule alone that is there already."""
        return None if kernel.netlink.has_rule(self.rule) else {}

    def apply(self, kernel: Kernel) -> None:
        """Add the rule."""
        kernel.netlink.add_rule(self.rule)

    def undo(self, kernel: Kernel, memory: Memory) -> bool:  # noqa: ARG002  # the protocol's signature
        """Remove the rule."""
        return kernel.netlink.remove_rule(self.rule)

    def plain(self) -> dict[str, Any]:
        """Return the fields of the rule."""
        return asdict(self.rule)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "AddRule":
        """Make the change from the fields of the rule."""
        return cls(Rule(**fields))


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """A kernel setting, by its path below /proc/sys.

    `dependents` are glob patterns of settings that the kernel changes along with this one, as it does for
    forwarding: they are remembered and put back too.
    """

    key: str
    value: str
    dependents: tuple[str, ...] = ()
    kind: ClassVar[str] = "sysctl"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"

    def inspect(self, kernel: Kernel) -> Memory | None:
        """Remember the value and those that hang on it."""
        before = kernel.sysctl.read(self.key)
        if before is None:
            raise HostError("the kernel has no such setting", where=f"sysctl {self.key}")
        if before == self.value:
            return None
        keys = [key for pattern in self.dependents for key in kernel.sysctl.matching(pattern)]
        return {"before": before, "dependents": {key: kernel.sysctl.read(key) for key in keys}}

    def apply(self, kernel: Kernel) -> None:
        """Write the value."""
        kernel.sysctl.write(self.key, self.value)

    def undo(self, kernel: Kernel, memory: Memory) -> bool:
        """Write the values that were, unless someone else has set another one since."""
        current = kernel.sysctl.read(self.key)
        if current not in {self.value, memory["before"]}:
            return False
        changed = current == self.value
        if changed:
            kernel.sysctl.write(self.key, memory["before"])
        for key, value in memory["dependents"].items():
            if kernel.sysctl.read(key) not in {None, value}:
                kernel.sysctl.write(key, value)
        return changed

    def plain(self) -> dict[str, Any]:
        """Return the fields."""
        return {"key": self.key, "value": self.value, "dependents": list(self.dependents)}

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "SetSysctl":
        """Make the change from its fields."""
        return cls(fields["key"], fields["value"], tuple(fields["dependents"]))


@dataclass(frozen=True, slots=True)
class AddTable:
    """An nftables table of our own with all that is in it, made in one transaction. Its name alone is compared.

    `purpose` is what it is there for.
    """

    family: str
    name: str
    statements: tuple[Statement, ...] = field(compare=False)
    purpose: FirewallPurpose = field(default=FirewallPurpose.GATEWAY, compare=False)
    kind: ClassVar[str] = "table"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"table {self.family} {self.name}"

    def inspect(self, kernel: Kernel) -> Memory | None:
        """Refuse to touch a table of that name that is not ours."""
        if kernel.nf_tables.has_table(self.family, self.name):
            fix = f"if nothing else uses it: nft delete table {self.family} {self.name}; else choose another name"
            raise HostError("a table of this name exists already", where=f"firewall {self}", fix=fix)
        return {}

    def apply(self, kernel: Kernel) -> None:
        """Make the table."""
        kernel.nft.run(self.statements)

    def undo(self, kernel: Kernel, memory: Memory) -> bool:  # noqa: ARG002  # the protocol's signature
        """Delete the table."""
        if not kernel.nf_tables.has_table(self.family, self.name):
            return False
        # Somebody may flush everything just now: making it first lets the deletion succeed all the same.
        kernel.nft.run(self.removal())
        return True

    def removal(self) -> list[Statement]:
        """Return the commands after which there is no table of that name, whether there was one or not."""
        table = {"table": {"family": self.family, "name": self.name}}
        return [{"add": table}, {"delete": table}]

    def plain(self) -> dict[str, Any]:
        """Return what undoing needs: the name."""
        return {"family": self.family, "name": self.name}

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "AddTable":
        """Make the change, without the statements, from what `plain` returned."""
        return cls(fields["family"], fields["name"], ())


KINDS: dict[str, type[Change]] = {
    change.kind: change
    for change in (AddAddress, SetLink, AddRoute, AddRule, SetSysctl, AddTable, ReplaceFile, UseResolved)
}
"""Every change that can be undone from a journal, by its word there."""
