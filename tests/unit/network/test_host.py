"""Making and taking back, with changes that are only written down."""

import contextlib
import json
from dataclasses import asdict, dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, ClassVar

import pytest

from holdfast.errors import HostError
from holdfast.network import changes
from holdfast.network.host import HostNetwork
from holdfast.network.kernel import Kernel
from holdfast.network.netlink import Link, Route


@dataclass(frozen=True)
class Mark:
    """A change that is a file in a directory; it fails where the name says so."""

    path: str
    kind: ClassVar[str] = "mark"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return Path(self.path).name

    def inspect(self, kernel: Kernel) -> dict[str, Any] | None:
        return None if Path(self.path).exists() else {"seen": True}

    def apply(self, kernel: Kernel) -> None:
        if self.path.endswith("bad"):
            raise HostError("cannot")
        if self.path.endswith("theirs"):
            Path(self.path).touch()
            raise changes.AlreadySoError("somebody was faster")
        assert self.path in (Path(self.path).parent / "state/network.journal").read_text()
        Path(self.path).touch()

    def undo(self, kernel: Kernel, memory: dict[str, Any]) -> bool:
        assert memory == {"seen": True}
        if self.path.endswith("stuck"):
            raise HostError("will not go", fix="pull")
        existed = Path(self.path).exists()
        Path(self.path).unlink(missing_ok=True)
        return existed

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "Mark":
        return cls(**fields)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(changes.KINDS, "mark", Mark)


def marks(where: Path, *names: str) -> list[Mark]:
    return [Mark(str(where / name)) for name in names]


def leave(host: HostNetwork) -> None:
    """End the process that owns the changes, as a kill does."""
    host._journal.release()


def names(where: Path) -> set[str]:
    return {path.name for path in where.iterdir()} - {"state"}


def test_journal_first_then_the_change_then_nothing(tmp_path: Path) -> None:
    host = HostNetwork(tmp_path / "state")
    assert host.apply(marks(tmp_path, "a", "b")) == ["a", "b"]
    assert host.apply(marks(tmp_path, "b", "c")) == ["c"]
    assert host.rollback() == ["c", "b", "a"]
    assert names(tmp_path) == set()
    assert not (tmp_path / "state" / "network.journal").exists()


def test_a_failure_takes_back_its_own_call_only(tmp_path: Path) -> None:
    host = HostNetwork(tmp_path / "state")
    host.apply(marks(tmp_path, "first"))
    with pytest.raises(HostError, match="cannot"):
        host.apply(marks(tmp_path, "a", "bad", "z"))
    assert names(tmp_path) == {"first"}
    assert host.rollback() == ["first"]


def test_what_is_stuck_is_said_and_kept_for_the_next_time(tmp_path: Path) -> None:
    host = HostNetwork(tmp_path / "state")
    host.apply(marks(tmp_path, "a", "stuck", "z"))
    with pytest.raises(HostError, match=r"could not undo: stuck \(will not go\)"):
        host.rollback()
    assert names(tmp_path) == {"stuck"}
    lines = (tmp_path / "state" / "network.journal").read_text().splitlines()
    assert [json.loads(line).get("kind") for line in lines] == [None, "mark"]


def test_entries_of_another_boot_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = HostNetwork(tmp_path / "state")
    host.apply(marks(tmp_path, "a"))
    leave(host)
    monkeypatch.setattr(Kernel, "boot_identity", staticmethod(lambda: "another"))
    assert HostNetwork(tmp_path / "state").recover() == []
    assert names(tmp_path) == {"a"}


def test_entries_that_outlive_a_boot_are_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mark, "survives_boot", True)
    host = HostNetwork(tmp_path / "state")
    host.apply(marks(tmp_path, "a"))
    leave(host)
    monkeypatch.setattr(Kernel, "boot_identity", staticmethod(lambda: "another"))
    assert HostNetwork(tmp_path / "state").recover() == ["a"]
    assert names(tmp_path) == set()


def test_an_unknown_kind_is_a_damaged_journal(tmp_path: Path) -> None:
    host = HostNetwork(tmp_path / "state")
    host.apply(marks(tmp_path, "a"))
    leave(host)
    journal = tmp_path / "state" / "network.journal"
    journal.write_text(journal.read_text().replace('"mark"', '"later"'))
    with pytest.raises(HostError, match="damaged"):
        HostNetwork(tmp_path / "state").recover()


def test_a_state_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot use the state directory"):
        HostNetwork(tmp_path / "file" / "state").recover()


def test_what_is_to_be_kept_is_taken_over(tmp_path: Path) -> None:
    killed = HostNetwork(tmp_path / "state")
    killed.apply(marks(tmp_path, "a", "b"))
    leave(killed)
    (kept,) = marks(tmp_path, "a")
    host = HostNetwork(tmp_path / "state")
    assert not host.holds(kept)
    assert host.recover(keep=[kept]) == ["b"]
    assert host.holds(kept)
    assert host.apply([kept]) == []
    assert host.rollback() == ["a"]
    assert names(tmp_path) == set()


def test_what_somebody_else_made_in_between_is_theirs(tmp_path: Path) -> None:
    host = HostNetwork(tmp_path / "state")
    assert host.apply(marks(tmp_path, "a", "theirs", "b")) == ["a", "b"]
    assert host.rollback() == ["b", "a"]
    assert names(tmp_path) == {"theirs"}


def test_a_change_that_failed_is_not_undone(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    host = HostNetwork(tmp_path / "state")
    with pytest.raises(HostError, match="cannot"):
        host.apply([*marks(tmp_path, "a"), Stubborn(str(tmp_path / "x"))])
    assert names(tmp_path) == {"x"}, "what stood in the way is not ours to remove"


@dataclass(frozen=True)
class Stubborn(Mark):
    """A change that looks possible and then is not."""

    def inspect(self, kernel: Kernel) -> dict[str, Any] | None:
        return {"seen": True}

    def apply(self, kernel: Kernel) -> None:
        raise HostError("cannot")


class Routing:
    """Netlink as far as routes are concerned: an interface, and what it leads to."""

    session = staticmethod(contextlib.nullcontext)

    def __init__(self) -> None:
        self.up = True
        self.made: list[Route] = []
        self.looked_through = 0
        self.names = {7: "tun0"}

    def index(self, name: str) -> int:
        return next((index for index, known in self.names.items() if known == name), 0)

    def name(self, index: int) -> str:
        return self.names.get(index, "")

    def remove_route(self, route: Route) -> bool:
        there = route in self.made
        self.made = [one for one in self.made if one != route]
        return there

    def link(self, name: str) -> Link:
        return Link(7, name, 1400, self.up)

    def route_to(self, address: str) -> Route | None:
        found = [route for route in self.made if ip_address(address) in ip_network(route.destination)]
        return found[0] if found else None

    def has_route(self, route: Route) -> bool:
        self.looked_through += 1
        return route in self.made

    def add_route(self, route: Route) -> None:
        self.made.append(route)


def test_routes_that_went_with_their_interface_come_back_once_it_is_up(tmp_path: Path) -> None:
    routing = Routing()
    network = HostNetwork(tmp_path, kernel=Kernel(netlink=routing))
    routes = [changes.AddRoute(Route(network, "tun0")) for network in ("10.77.0.0/24", "192.168.5.5/32")]
    network.apply(routes)
    assert network.restore_routes("tun0") == network.restore_routes("eth0") == []
    looked = routing.looked_through
    routing.up, routing.made = False, []
    assert network.restore_routes("tun0") == [], "who takes it down wants it so"
    assert routing.looked_through == looked, "all routes of a router may be a million"
    routing.up = True
    assert network.restore_routes("tun0") == ["route 10.77.0.0/24 dev tun0", "route 192.168.5.5/32 dev tun0"]
    assert [change.route for change in routes] == routing.made


def test_a_route_is_taken_back_whatever_its_interface_is_called_by_then(tmp_path: Path) -> None:
    routing = Routing()
    network = HostNetwork(tmp_path, kernel=Kernel(netlink=routing))
    network.apply([changes.AddRoute(Route("10.77.0.0/24", name)) for name in ("tun0", "gone0")])
    routing.names = {7: "wlan7"}
    routing.made = [Route("10.77.0.0/24", "wlan7"), Route("10.77.0.0/24", "gone0")]
    assert len(network.rollback()) == 2
    assert routing.made == []
