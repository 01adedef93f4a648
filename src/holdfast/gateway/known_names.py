"""Pools and filters that a user, a group or RADIUS may name, and what happens to names that nobody knows."""

from dataclasses import dataclass, replace
from types import MappingProxyType

from holdfast.config import Config
from holdfast.config.radius_section import UnknownNames
from holdfast.policy.effective import Effective

KEYS = ("pool", "filter")


@dataclass(frozen=True, slots=True)
class Names:
    """What the configuration knows. `refuse`: a client with an unknown name is kept out; else the name is ignored."""

    pools: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    refuse: bool = True

    def unknown(self, effective: Effective) -> list[str]:
        """Return which keys name nothing that is there."""
        named = {key: getattr(effective.policy, key) for key in KEYS}
        known = {"pool": self.pools, "filter": self.filters}
        return [key for key, name in named.items() if name and name not in known[key]]


def names_of(config: Config) -> Names:
    """Return the pools and filters of a configuration."""
    refuse = config.radius.unknown_names is UnknownNames.REFUSE
    return Names(frozenset(config.pools), frozenset(config.filters), refuse)


def why_unknown(effective: Effective, key: str) -> str:
    """Say what is wrong with a name."""
    name = getattr(effective.policy, key)
    return f"{effective.origin(key)} names {name!r}, and the configuration has no [{key}s.{name}]"


def without(effective: Effective, keys: list[str]) -> Effective:
    """Return settings that name nothing under these keys."""
    origins = {key: f"{effective.origin(key)}, unknown here and ignored" for key in keys}
    policy = effective.policy
    policy = replace(
        policy, pool="" if "pool" in keys else policy.pool, filter="" if "filter" in keys else policy.filter
    )
    return replace(effective, policy=policy, origins=MappingProxyType({**effective.origins, **origins}))
