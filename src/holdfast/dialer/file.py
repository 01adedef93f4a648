"""Tunnels in a TOML file: `[tunnel.NAME]`, one table each, every key but `host` and `user` optional."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from holdfast.config.lines import key_lines, line_of
from holdfast.config.problems import InvalidConfigError, Problem, UnreadableConfigError, did_you_mean
from holdfast.config.values import MetricsListen
from holdfast.control.codes import CONTROL_PORT
from holdfast.dialer.file_probes import ProbeName, ProbeSection
from holdfast.dialer.metrics import MetricsSettings
from holdfast.dialer.reconnect import ReconnectPolicy
from holdfast.dialer.settings import (
    DnsMode,
    DnsSettings,
    FullMethod,
    Ipv6Choice,
    KeepaliveSettings,
    LinkSettings,
    RouteMode,
    RouteSettings,
    TunnelSettings,
)
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppeMode, MppePolicy

Seconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]
Size = Annotated[int, Field(ge=576, le=1500)]
Interface = Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[A-Za-z0-9_.-]+$")]
TunnelName = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
MOST_PROBES = 100


def _executable(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("name a hook by its whole path, such as /etc/holdfast/up")
    return path


class TunnelSection(BaseModel):
    """One `[tunnel.NAME]`. Times in seconds, sizes in octets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(min_length=1, max_length=253)]
    user: Annotated[str, Field(min_length=1, max_length=256)]
    password_file: Path | None = None
    password_credential: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = CONTROL_PORT
    interface: Interface | None = None
    authentication: Annotated[tuple[Method, ...], Field(min_length=1)] = (Method.MS_CHAP_V2,)
    mppe: MppePolicy = MppePolicy.REQUIRE
    mppe_bits: Annotated[tuple[int, ...], Field(min_length=1)] = (128,)
    mppe_modes: Annotated[tuple[MppeMode, ...], Field(min_length=1)] = (MppeMode.STATELESS, MppeMode.STATEFUL)
    mtu: Size = 1400
    mru: Size = 1400
    path_interval: Seconds = 600.0
    address: IPv4Address | None = None
    echo_interval: Seconds = 10.0
    echo_failures: Annotated[int, Field(ge=1, le=100)] = 3
    control_interval: Annotated[float, Field(ge=1, le=86400)] = 60.0
    control_timeout: Annotated[float, Field(ge=1, le=86400)] = 60.0
    heartbeat: IPv4Address | None = None
    heartbeat_port: Annotated[int, Field(ge=0, le=65535)] = 0
    heartbeat_interval: Annotated[float, Field(ge=1, le=86400)] = 30.0
    heartbeat_failures: Annotated[int, Field(ge=1, le=100)] = 3
    persist: bool = True
    retry_min: Annotated[float, Field(gt=0, le=3600)] = 1.0
    retry_max: Annotated[float, Field(gt=0, le=86400)] = 60.0
    retry_spread: Seconds = 20.0
    stable_after: Seconds = 60.0
    max_tries: Annotated[int, Field(ge=0)] = 0
    max_time: Annotated[float, Field(ge=0)] = 0.0
    confirm_refusal: Annotated[int, Field(ge=0, le=10)] = 2
    routes: RouteMode = RouteMode.SPLIT
    networks: tuple[IPv4Network, ...] = ()
    ask_server: bool = True
    full_method: FullMethod = FullMethod.AUTO
    sources: tuple[IPv4Network, ...] = ()
    marks: tuple[Annotated[int, Field(ge=0, le=0xFFFFFFFF)], ...] = ()
    user_ids: tuple[Annotated[int, Field(ge=0, le=0xFFFFFFFE)], ...] = ()
    table: Annotated[int, Field(ge=256, le=0x7FFFFFFF)] = 1723
    ipv6: Ipv6Choice = Ipv6Choice.BLOCK
    dns: DnsMode = DnsMode.AUTO
    domains: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")], ...] = ()
    kill_switch: bool = False
    kill_switch_networks: tuple[IPv4Network, ...] = ()
    hooks: tuple[Annotated[Path, AfterValidator(_executable)], ...] = ()
    probes: Annotated[dict[ProbeName, ProbeSection], Field(max_length=MOST_PROBES)] = Field(default_factory=dict)

    def settings(self, name: str, interface: str) -> TunnelSettings:
        """Return the settings of the tunnel `name`; `interface` is the TUN device where the file names none."""
        return TunnelSettings(
            self.host,
            self.user,
            name=name,
            port=self.port,
            interface=self.interface or interface,
            link=self._link(),
            keepalive=self._keepalive(),
            reconnect=self._reconnect(),
            routes=self._routes(),
            dns=DnsSettings(self.dns, self.domains),
            kill_switch=self.kill_switch,
            kill_switch_networks=self.kill_switch_networks,
            hooks=self.hooks,
            probes=tuple(section.probe(one) for one, section in self.probes.items()),
        )

    def _link(self) -> LinkSettings:
        wish = "" if self.address is None else str(self.address)
        return LinkSettings(
            self.authentication,
            self.mppe,
            self.mppe_bits,
            self.mppe_modes,
            mtu=self.mtu,
            mru=self.mru,
            wish=wish,
            path_interval=self.path_interval,
        )

    def _keepalive(self) -> KeepaliveSettings:
        return KeepaliveSettings(
            echo_interval=self.echo_interval,
            echo_failures=self.echo_failures,
            control_interval=self.control_interval,
            control_timeout=self.control_timeout,
            heartbeat="" if self.heartbeat is None else str(self.heartbeat),
            heartbeat_port=self.heartbeat_port,
            heartbeat_interval=self.heartbeat_interval,
            heartbeat_failures=self.heartbeat_failures,
        )

    def _reconnect(self) -> ReconnectPolicy:
        return ReconnectPolicy(
            persist=self.persist,
            minimum=self.retry_min,
            maximum=self.retry_max,
            spread=self.retry_spread,
            stable_after=self.stable_after,
            maximum_tries=self.max_tries,
            maximum_time=self.max_time,
            confirmations=self.confirm_refusal,
        )

    def _routes(self) -> RouteSettings:
        return RouteSettings(
            self.routes,
            self.full_method,
            self.networks,
            self.ask_server,
            sources=self.sources,
            marks=self.marks,
            user_ids=self.user_ids,
            table=self.table,
            ipv6=self.ipv6,
        )


class MetricsSection(BaseModel):
    """`[metrics]`: numbers for Prometheus, of all tunnels of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: MetricsListen
    token_file: Path | None = None


class DialFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: MetricsSection | None = None
    tunnel: Annotated[dict[TunnelName, TunnelSection], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Configured:
    """One tunnel of a file: its settings, and where its password is (both None: asked for)."""

    settings: TunnelSettings
    password_file: Path | None
    password_credential: str | None


@dataclass(frozen=True, slots=True)
class DialSetup:
    """What a file asks for: tunnels, and metrics or None."""

    tunnels: tuple[Configured, ...]
    metrics: MetricsSettings | None = None


def load(path: Path) -> DialSetup:
    """Read the file. UnreadableConfigError or InvalidConfigError (with every problem) when it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "this is not UTF-8 text"
        raise UnreadableConfigError(f"cannot be read: {what}", where=str(path)) from None
    return parse(text, str(path))


def parse(text: str, file: str = "<text>") -> DialSetup:
    """Read tunnels from text. InvalidConfigError with every problem in it."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfigError(file, [Problem((), f"this is not TOML: {error}")]) from None
    return validate(data, file, key_lines(text))


def validate(data: Mapping[str, Any], file: str, lines: Mapping[tuple[str, ...], int] | None = None) -> DialSetup:
    """Read tunnels from plain data; `lines` says on which line of `file` a key stands."""
    try:
        read = DialFile.model_validate(data)
    except ValidationError as error:
        lines = lines or {}
        raise InvalidConfigError(
            file, [_problem(detail, lines) for detail in error.errors(include_url=False)]
        ) from None
    found = [
        Configured(section.settings(name, f"pptp{index}"), section.password_file, section.password_credential)
        for index, (name, section) in enumerate(read.tunnel.items())
    ]
    problems = [*_clashes(found), *_impossible(read), *_open_to_all(read.metrics)]
    if problems:
        raise InvalidConfigError(file, problems)
    return DialSetup(tuple(found), _metrics(read.metrics))


def _metrics(section: MetricsSection | None) -> MetricsSettings | None:
    if section is None:
        return None
    return MetricsSettings(str(section.listen.address), section.listen.port, section.token_file)


def _open_to_all(section: MetricsSection | None) -> list[Problem]:
    if section is None or section.token_file is not None or section.listen.address.is_loopback:
        return []
    what = "everybody who reaches this address could read the metrics"
    return [Problem(("metrics", "listen"), what, "Name a token_file, or listen on 127.0.0.1.")]


def _problem(detail: Any, lines: Any) -> Problem:
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    line = line_of(lines, path)
    if detail["type"] == "extra_forbidden":
        meant = did_you_mean(path[-1], _keys_beside(path))
        return Problem(path, "there is no such key", meant, line)
    if detail["type"] == "missing":
        return Problem(path, "this key is needed", "", line)
    return Problem(path, str(detail["msg"]).removeprefix("Value error, "), "", line)


def _keys_beside(path: tuple[str, ...]) -> Iterable[str]:
    if len(path) > 4:
        return ProbeSection.model_fields
    if len(path) > 2:
        return TunnelSection.model_fields
    return MetricsSection.model_fields if path[0] == "metrics" else DialFile.model_fields


def _clashes(found: list[Configured]) -> list[Problem]:
    seen: dict[str, str] = {}
    problems = []
    for one in found:
        interface, name = one.settings.interface, one.settings.name
        if interface in seen:
            what = f"the interface {interface} is that of tunnel {seen[interface]} already"
            problems.append(Problem(("tunnel", name, "interface"), what))
        seen[interface] = name
    return problems


def _impossible(read: DialFile) -> list[Problem]:
    problems = []
    for name, section in read.tunnel.items():
        if section.retry_min > section.retry_max:
            problems.append(Problem(("tunnel", name, "retry_min"), "it is longer than retry_max"))
        unkeyed = [m for m in section.authentication if m not in {Method.MS_CHAP, Method.MS_CHAP_V2}]
        if section.mppe is MppePolicy.REQUIRE and unkeyed:
            what = f"mppe is required, but {unkeyed[0]} gives no encryption keys"
            problems.append(Problem(("tunnel", name, "authentication"), what, 'Set mppe = "prefer" or "off".'))
        if section.password_file is not None and section.password_credential is not None:
            what = "there is a password_file already: keep one of the two"
            problems.append(Problem(("tunnel", name, "password_credential"), what))
    return problems
