"""Settings as the machines need them."""

from holdfast.dialer.machines import control_config, link_config
from holdfast.dialer.settings import KeepaliveSettings, LinkSettings, TunnelSettings
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppeMode, MppePolicy
from holdfast.secret import Secret

PASSWORD = Secret.from_text("hunter2")


def test_by_default_nothing_but_ms_chap_v2_and_128_bits() -> None:
    link = link_config(TunnelSettings("vpn.example", "alice"), PASSWORD)
    assert link.accept == (Method.MS_CHAP_V2,)
    assert link.demand == ()
    assert (link.ccp.policy, link.ccp.bits) == (MppePolicy.REQUIRE, (128,))
    assert not link.ipcp.assigns
    assert link.credentials is not None
    assert (link.credentials.user, link.credentials.password) == ("alice", PASSWORD)
    assert "hunter2" not in repr(link)


def test_settings_reach_the_machines() -> None:
    chosen = LinkSettings(
        (Method.PAP,), MppePolicy.OFF, (40,), (MppeMode.STATEFUL,), mtu=1300, mru=1350, wish="10.0.0.9"
    )
    keepalive = KeepaliveSettings(control_interval=20, control_timeout=5)
    settings = TunnelSettings("vpn.example", "alice", link=chosen, keepalive=keepalive)
    link, control = link_config(settings, PASSWORD), control_config(settings)
    assert (link.lcp.mtu, link.lcp.mru, link.ipcp.wish) == (1300, 1350, "10.0.0.9")
    assert (link.accept, link.ccp.modes) == ((Method.PAP,), (MppeMode.STATEFUL,))
    assert (control.echo_interval, control.echo_timeout) == (20, 5)
