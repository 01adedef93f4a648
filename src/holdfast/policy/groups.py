"""Groups of users, and what holds for a session of a given user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, ip_address
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.policy.effective import Effective, Layer, effective, layers_of, over
from holdfast.policy.overrides import Overrides, read_overrides
from holdfast.policy.records import UserRecord
from holdfast.policy.users import SOURCE as DATABASE


@dataclass(frozen=True, slots=True)
class Group:
    """What the file says of a group. `origins` names the line of single keys; users without a group who come from
    one of the `networks` belong to it."""

    name: str
    overrides: Overrides = field(default_factory=Overrides)
    networks: tuple[IPv4Network, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    def layers(self) -> list[Layer]:
        """Return what the group says."""
        named = {key: f"group {self.name} ({origin})" for key, origin in self.origins.items()}
        return layers_of(self.overrides, f"group {self.name}", named)


class PolicyBook:
    """The file's part of the word: for everybody, and for groups."""

    def __init__(self, everybody: Sequence[Layer] = (), groups: Mapping[str, Group] | None = None) -> None:
        self._everybody = tuple(everybody)
        self._groups = dict(groups or {})
        self.base: Effective = effective(self._everybody)
        """What holds before anybody has signed in."""

    def of(self, record: UserRecord | None, address: str, radius: Layer | None = None) -> Effective:
        """Return what holds for a session of a user who connects from `address`, its group among it.

        The group is the one that RADIUS names, else the user's own, else by network, else none. One that the file
        does not know says nothing.
        """
        radius = None if radius is None else self._known_group(radius)
        belongs = self._belonging(record, address, radius)
        layers = [*self._everybody, belongs]
        group = self._groups.get(belongs.values.get("group", ""))
        if group is not None:
            layers += group.layers()
        if record is not None:
            layers += _own(record)
        found = effective(layers)
        return found if radius is None else over(found, radius)

    def _belonging(self, record: UserRecord | None, address: str, radius: Layer | None) -> Layer:
        if radius is not None and radius.values.get("group"):
            return Layer.of({"group": radius.values["group"]}, radius.origins["group"])
        if record is not None and record.group:
            return Layer.of({"group": record.group}, f"user {record.name}")
        client = ip_address(address)
        pairs = ((name, network) for name, group in self._groups.items() for network in group.networks)
        inside = ((name, network) for name, network in pairs if client in network)
        found = next(inside, None)
        return Layer({}, {}) if found is None else Layer.of({"group": found[0]}, f"network {found[1]}")

    def _known_group(self, radius: Layer) -> Layer:
        """RADIUS may name a group that the file has; another name must not cost the user the group that is known."""
        name = radius.values.get("group", "")
        if not name or name in self._groups:
            return radius
        why = f"{radius.origins['group']} = {name!r}: the configuration has no [groups.{name}]"
        values = {key: value for key, value in radius.values.items() if key != "group"}
        return replace(radius, values=values, unusable=(*radius.unusable, why))


def _own(record: UserRecord) -> list[Layer]:
    """Return what the record of a user says, whichever source it came from."""
    layers = layers_of(_understood(record.settings), f"user {record.name}") if record.settings else []
    if record.addresses:
        source = "" if record.source == DATABASE else f" ({record.source})"
        layers.append(Layer.of({"address": tuple(map(str, record.addresses))}, f"user {record.name}{source}"))
    return layers


def _understood(settings: Mapping[str, Any]) -> Overrides:
    """Read settings from the database; what another Holdfast wrote and this one does not know is left out."""
    try:
        return read_overrides(settings)
    except HoldfastError:
        return read_overrides({key: value for key, value in settings.items() if _is_known(key, value)})


def _is_known(key: str, value: Any) -> bool:
    try:
        read_overrides({key: value})
    except HoldfastError:
        return False
    return True
