"""The configuration as the gateway's parts need it: small frozen pieces instead of the whole."""

from dataclasses import dataclass
from typing import Any

from holdfast.config import Config, LoadedConfig, MppeModes
from holdfast.control.config import ControlConfig
from holdfast.dataplane.interface import Keepalive
from holdfast.events import Severity
from holdfast.gateway.known_names import Names, names_of
from holdfast.gateway.policy_settings import (
    admission_rules,
    before_login,
    guessing_rules,
    lockout_rules,
    policy_book,
)
from holdfast.policy.admission import AdmissionRules
from holdfast.policy.groups import PolicyBook
from holdfast.policy.guessing import GuessingRules
from holdfast.policy.lockout import LockoutRules
from holdfast.ppp.authentication_types import AuthenticatorConfig, Method
from holdfast.ppp.config import CcpConfig, IpcpConfig, LcpConfig, LinkConfig, MppeMode, MppePolicy, RestartConfig
from holdfast.session import SessionConfig


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What `Gateway` is given. Addresses are text; times are seconds."""

    control: ControlConfig
    link: LinkConfig
    idle_timeout: float
    """How long a control connection may last without a call; 0 for ever."""
    session: SessionConfig
    keepalive: Keepalive
    local_address: str
    admission: AdmissionRules
    lockout: LockoutRules
    guessing: GuessingRules
    policies: PolicyBook
    before_login: tuple[dict[str, Any], ...]
    """Timers and limits that hold before a user is known: key, value, origin."""
    names: Names
    """The pools and filters that settings may name."""


def usual_workers(processors: int) -> int:
    """Return how many threads a direction so many processors are worth: both directions are busy at once, and with each
    worker the kernel offers every GRE packet to one socket more."""
    return max(1, min(processors // 2, 4))


def settings_from(loaded: LoadedConfig, resolvers: tuple[str, ...]) -> GatewaySettings:
    """Return what the gateway needs of the configuration; `resolvers` are this machine's own, if none are named."""
    config, policies = loaded.config, policy_book(loaded, resolvers)
    base = policies.base.policy
    return GatewaySettings(
        control=_control(config),
        link=_link(config),
        idle_timeout=config.gateway.idle_timeout,
        session=SessionConfig(
            setup_timeout=config.timeouts.setup_timeout, authentication_timeout=config.ppp.authentication_timeout
        ),
        keepalive=Keepalive(base.lcp_echo_interval, base.lcp_echo_failures),
        local_address=str(config.addresses.gateway),
        admission=admission_rules(config),
        lockout=lockout_rules(config),
        guessing=guessing_rules(config),
        policies=policies,
        before_login=tuple(before_login(loaded)),
        names=names_of(config),
    )


def _traces(config: Config) -> bool:
    return config.log.level is Severity.DEBUG


def _control(config: Config) -> ControlConfig:
    section = config.gateway
    return ControlConfig(
        host_name=section.host_name,
        vendor=section.vendor,
        setup_timeout=section.setup_timeout,
        echo_interval=section.echo_interval,
        echo_timeout=section.echo_timeout,
        trace_messages=_traces(config),
    )


def _link(config: Config) -> LinkConfig:
    ppp = config.ppp
    return LinkConfig(
        restart=RestartConfig(ppp.restart_timer, ppp.max_configure, ppp.max_terminate, ppp.max_failure),
        lcp=LcpConfig(mru=ppp.mru, mtu=ppp.mtu),
        ccp=CcpConfig(MppePolicy(ppp.mppe.value), ppp.mppe_bits, _modes(ppp.mppe_mode)),
        ipcp=IpcpConfig(assigns=True),
        demand=tuple(Method(method) for method in ppp.authentication),
        authenticator=AuthenticatorConfig(name=config.gateway.host_name),
        trace=_traces(config),
    )


def _modes(modes: MppeModes) -> tuple[MppeMode, ...]:
    if modes is MppeModes.BOTH:
        return (MppeMode.STATELESS, MppeMode.STATEFUL)
    return (MppeMode(modes.value),)
