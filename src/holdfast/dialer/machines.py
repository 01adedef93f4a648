"""The settings of a tunnel as the protocol machines need them."""

from holdfast.control.config import ControlConfig
from holdfast.dialer.settings import TunnelSettings
from holdfast.ppp.authentication_types import PeerCredentials
from holdfast.ppp.config import CcpConfig, IpcpConfig, LcpConfig, LinkConfig, RestartConfig
from holdfast.secret import Secret

RESTART = RestartConfig(restart_timer=1.0, max_configure=30)
"""A third of the restart timer of RFC 1661 section 4.6, and as long in all: a server whose pppd is only starting, or
GRE that comes back during a try, is answered within a second."""


def control_config(settings: TunnelSettings) -> ControlConfig:
    """Return what the control connection is told. The host name stays empty: who we are is the login's matter."""
    keepalive = settings.keepalive
    return ControlConfig(
        echo_interval=keepalive.control_interval, echo_timeout=keepalive.control_timeout, trace_messages=False
    )


def link_config(settings: TunnelSettings, password: Secret) -> LinkConfig:
    """Return what the PPP link is told: we prove ourselves, ask for an address, and demand nothing but MPPE."""
    link = settings.link
    return LinkConfig(
        lcp=LcpConfig(mru=link.mru, mtu=link.mtu),
        ccp=CcpConfig(link.mppe, link.mppe_bits, link.mppe_modes),
        ipcp=IpcpConfig(assigns=False, wish=link.wish),
        accept=link.authentication,
        credentials=PeerCredentials(settings.user, password),
        restart=RESTART,
    )
