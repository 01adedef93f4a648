"""A changed configuration, without dropping anyone: what takes effect now, for new sessions, or after a restart."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holdfast.config import Config, LoadedConfig, load
from holdfast.errors import ConfigError, HoldfastError
from holdfast.events import ConfigChanged, ConfigRefused
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.policy_settings import SECTIONS
from holdfast.gateway.settings import settings_from
from holdfast.observe.event_log import EventLog
from holdfast.policy.overrides import Overrides

AT_ONCE = frozenset(
    {
        "gateway.max_connections",
        "limits.sessions",
        "limits.sessions_per_address",
        "limits.half_open",
        "limits.connections_per_address",
        "limits.new_connections_per_second",
        "admission.allow",
        "admission.deny",
        "admission.failed_logins",
        "admission.failed_logins_per_address",
        "admission.lock_time",
        "admission.spray_accounts",
        "admission.siege_addresses",
        "admission.flaps",
        "admission.flap_time",
        "log.level",
        "control.viewers",
        "control.operators",
    }
)
LATER = frozenset(
    {
        "gateway.setup_timeout",
        "gateway.echo_interval",
        "gateway.echo_timeout",
        "gateway.idle_timeout",
        "gateway.host_name",
        "gateway.vendor",
        "addresses.dns",
        "addresses.wins",
        "ppp.authentication",
        "ppp.mppe",
        "ppp.mppe_bits",
        "ppp.mppe_mode",
        "ppp.mru",
        "ppp.restart_timer",
        "ppp.max_configure",
        "ppp.max_terminate",
        "ppp.max_failure",
        "ppp.authentication_timeout",
        "timeouts.preset",
        "timeouts.setup_timeout",
        *(
            f"{section}.{key}"
            for section in SECTIONS
            for key in type(getattr(Config(), section)).model_fields
            if key in Overrides.model_fields
        ),
    }
)
"""What a session or connection takes over when it begins. What stands in neither set waits for a restart."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reload changed, each as `key: old -> new`."""

    now: tuple[str, ...] = ()
    new_sessions: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()


def changes(old: LoadedConfig, new: LoadedConfig) -> Changes:
    """Compare two configurations."""
    before = {setting.key: setting.value for setting in old.settings()}
    after = {setting.key: setting.value for setting in new.settings()}
    kinds: dict[str, list[str]] = {"now": [], "new_sessions": [], "restart": []}
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            kinds[_kind(key)].append(f"{key}: {_shown(before.get(key))} -> {_shown(after.get(key))}")
    return Changes(**{kind: tuple(lines) for kind, lines in kinds.items()})


def applicable(old: Config, new: Config) -> Config:
    """Return `new` with everything that waits for a restart as it was in `old`."""
    sections: dict[str, Any] = {}
    for name, section in new:
        if name == "groups":
            continue
        if isinstance(section, dict):  # pools and filters are routes and chains, made at the start
            sections[name] = getattr(old, name)
            continue
        kept = {key: getattr(getattr(old, name), key) for key in type(section).model_fields if _waits(f"{name}.{key}")}
        sections[name] = section.model_copy(update=kept)
    return new.model_copy(update=sections)


def _kind(key: str) -> str:
    if key in AT_ONCE:
        return "now"
    return "restart" if _waits(key) else "new_sessions"


def _waits(key: str) -> bool:
    return key not in AT_ONCE and key not in LATER and not key.startswith("groups.")


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def _read_again(file: Path) -> LoadedConfig:
    """Read the file while everybody else waits: from a pipe that nobody writes to, that would be for ever."""
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise ConfigError("this is not a regular file, and the gateway can wait for no other", where=str(file))
    return load(file)


class Reloader:
    """Reads the file again and lets the gateway go on with it. `admit` changes who may ask on the control socket."""

    def __init__(
        self,
        loaded: LoadedConfig,
        gateway: Gateway,
        log: EventLog,
        resolvers: tuple[str, ...],
        admit: Callable[[Config], None] = lambda _: None,
    ) -> None:
        self._loaded, self._gateway, self._log, self._resolvers = loaded, gateway, log, resolvers
        self._admit = admit

    def reload(self) -> dict[str, Any]:
        """Do it, and return the changes as plain data.

        ConfigError when the file cannot be used, HostError when the control socket cannot be shared as it says; nothing
        is changed then. What came of it is told to the log.
        """
        if self._loaded.file is None:
            raise HoldfastError(
                "this gateway was started without a configuration file", fix="Start it with --config FILE."
            )
        try:
            new = _read_again(Path(self._loaded.file))
        except ConfigError as error:
            self._gateway.report(ConfigRefused(error.text()), {})
            raise
        found = changes(self._loaded, new)
        config = applicable(self._loaded.config, new.config)
        usable = LoadedConfig(config, new.file, new.warnings, new.lines)
        self._admit(config)
        self._gateway.apply(settings_from(usable, self._resolvers))
        self._log.threshold = config.log.level
        self._loaded = usable
        self._gateway.report(ConfigChanged(found.now, found.new_sessions, found.restart), {})
        return asdict(found)

    def by_signal(self) -> None:
        """Do it for SIGHUP, which nobody waits for: the log has what came of it."""
        try:
            self.reload()
        except ConfigError:
            return  # told already
        except HoldfastError as error:
            self._gateway.report(ConfigRefused(error.text()), {})
