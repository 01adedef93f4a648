"""Groups of users, and what holds for a session of a given user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.policy.effective import Effective, Layer, effective, layers_of
from holdfast.policy.overrides import Overrides, read_overrides
from holdfast.policy.records import UserRecord


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

    def group_of(self, record: UserRecord | None, address: str) -> str:
        """Return the group of a user who connects from `address`; the user's own, else by network, else none."""
        if record is not None and record.group:
            return record.group
        client = ip_address(address)
        inside = (name for name, group in self._groups.items() if any(client in network for network in group.networks))
        return next(inside, "")

    def of(self, record: UserRecord | None, address: str, radius: Layer | None = None) -> Effective:
        """Return what holds for a session. A group that the file does not know says nothing."""
        layers = list(self._everybody)
        group = self._groups.get(self.group_of(record, address))
        if group is not None:
            layers += group.layers()
        if record is not None and record.settings:
            layers += layers_of(_understood(record.settings), f"user {record.name}")
        return effective([*layers, radius] if radius is not None else layers)


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
