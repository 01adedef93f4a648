"""The part of the configuration that says who may come in and how long sessions last, as `policy` takes it."""

from typing import Any

from holdfast.config import Config, LoadedConfig
from holdfast.policy.admission import AdmissionRules
from holdfast.policy.effective import KEYS, Layer, layers_of
from holdfast.policy.groups import Group, PolicyBook
from holdfast.policy.guessing import GuessingRules
from holdfast.policy.host_dns import MOST_SERVERS
from holdfast.policy.lockout import LockoutRules
from holdfast.policy.overrides import Overrides

SECTIONS = ("ppp", "timeouts", "limits", "admission")
"""Sections of the file with keys that groups and users may override."""

HANDED_OUT = ("dns", "wins", "client_wish")
"""Keys of `[addresses]` that RADIUS may override; `pool` there are ranges, and no name of some."""

BEFORE_LOGIN = (
    "gateway.setup_timeout",
    "gateway.echo_interval",
    "gateway.echo_timeout",
    "gateway.idle_timeout",
    "timeouts.setup_timeout",
    "timeouts.heartbeats",
    "ppp.authentication_timeout",
    "ppp.restart_timer",
    "ppp.max_configure",
    "limits.sessions",
    "limits.sessions_per_address",
)
"""Timers and limits that nobody can override, because they hold before a user is known."""


def policy_book(loaded: LoadedConfig, resolvers: tuple[str, ...] = ()) -> PolicyBook:
    """Return what the file says of sessions: for everybody, and for groups.

    `resolvers`: this machine's own name servers, for clients that are told no others.
    """
    preset = Overrides(preset=loaded.config.timeouts.preset)
    origins = {"preset": loaded.origin("timeouts.preset")}
    file = str(loaded.file)
    host = Layer.of({"dns": resolvers[:MOST_SERVERS]}, "this machine's resolv.conf")
    everybody = [host, *layers_of(preset, file, origins), _file_layer(loaded)]
    groups = {name: _group(loaded, name) for name in loaded.config.groups}
    return PolicyBook(everybody, groups)


def _file_layer(loaded: LoadedConfig) -> Layer:
    """Take what the file says itself: a default must not win over a preset."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for section, keys in (*((name, KEYS) for name in SECTIONS), ("addresses", HANDED_OUT)):
        model = getattr(loaded.config, section)
        for key in model.model_fields_set & set(keys):
            value = getattr(model, key)
            if value is not None:
                values[key] = tuple(map(str, value)) if key in ("dns", "wins") else value
                origins[key] = loaded.origin(f"{section}.{key}")
    return Layer(values, origins)


def _group(loaded: LoadedConfig, name: str) -> Group:
    section = loaded.config.groups[name]
    origins = {key: loaded.origin(f"groups.{name}.{key}") for key in section.model_fields_set - {"networks"}}
    return Group(name, section.overrides(), section.networks, origins)


def before_login(loaded: LoadedConfig) -> list[dict[str, Any]]:
    """Return the timers and limits that hold for every session alike: key, value, origin."""
    values = {setting.key: setting for setting in loaded.settings()}
    return [{"key": key, "value": values[key].value, "origin": values[key].origin} for key in BEFORE_LOGIN]


def admission_rules(config: Config) -> AdmissionRules:
    """Return who may open connections and calls."""
    limits, admission = config.limits, config.admission
    return AdmissionRules(
        allow=admission.allow,
        deny=admission.deny,
        connections=config.gateway.max_connections,
        connections_per_address=limits.connections_per_address,
        new_connections_per_second=limits.new_connections_per_second,
        half_open=limits.half_open,
        sessions=limits.sessions,
        sessions_per_address=limits.sessions_per_address,
        flaps=admission.flaps,
        flap_time=admission.flap_time,
    )


def lockout_rules(config: Config) -> LockoutRules:
    """Return how many logins may fail."""
    admission = config.admission
    return LockoutRules(
        per_account_and_source=admission.failed_logins,
        per_source=admission.failed_logins_per_address,
        lock_time=admission.lock_time,
    )


def guessing_rules(config: Config) -> GuessingRules:
    """Return from when on failed logins are an attack."""
    admission = config.admission
    return GuessingRules(admission.spray_accounts, admission.siege_addresses)
