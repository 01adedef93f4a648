"""The configuration as the gateway's parts need it."""

from holdfast.config import parse
from holdfast.gateway.settings import settings_from, usual_workers
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppeMode, MppePolicy


def test_every_part_gets_what_the_file_says():
    text = """
    [gateway]
    setup_timeout = 4.0
    echo_interval = 30.0
    echo_timeout = 20.0
    host_name = "office"
    max_connections = 7
    [addresses]
    gateway = "10.9.0.1"
    pool = ["10.9.0.10-10.9.0.20"]
    dns = ["10.9.0.53"]
    wins = ["10.9.0.54"]
    [ppp]
    authentication = ["ms-chap-v2", "ms-chap"]
    mppe = "prefer"
    mppe_bits = [128, 40]
    mppe_mode = "both"
    mtu = 1350
    mru = 1360
    restart_timer = 2.0
    max_configure = 8
    lcp_echo_interval = 5.0
    lcp_echo_failures = 2
    """
    settings = settings_from(parse(text), ("192.0.2.53",))
    assert (settings.control.setup_timeout, settings.control.echo_interval, settings.control.echo_timeout) == (
        4,
        30,
        20,
    )
    assert settings.control.host_name == settings.link.authenticator.name == "office"
    assert settings.admission.connections == 7
    told = settings.policies.base.policy
    assert (settings.local_address, told.dns, told.wins) == ("10.9.0.1", ("10.9.0.53",), ("10.9.0.54",))
    assert (told.mtu, told.mppe, told.mppe_bits, told.pool) == (1350, "prefer", (128, 40), "")
    assert settings.link.demand == (Method.MS_CHAP_V2, Method.MS_CHAP)
    assert settings.link.ccp.policy is MppePolicy.PREFER
    assert settings.link.ccp.bits == (128, 40)
    assert settings.link.ccp.modes == (MppeMode.STATELESS, MppeMode.STATEFUL)
    assert (settings.link.lcp.mtu, settings.link.lcp.mru) == (1350, 1360)
    assert (settings.link.restart.restart_timer, settings.link.restart.max_configure) == (2, 8)
    assert (settings.keepalive.interval, settings.keepalive.failures) == (5, 2)
    assert not settings.link.trace


def test_without_dns_servers_clients_get_this_machines_own():
    base = settings_from(parse(""), ("192.0.2.53", "192.0.2.54", "192.0.2.55")).policies.base
    assert (base.policy.dns, base.origin("dns")) == (("192.0.2.53", "192.0.2.54"), "this machine's resolv.conf")
    named = settings_from(parse("[addresses]\ndns = []\n", "h.toml"), ("192.0.2.53",)).policies.base
    assert (named.policy.dns, named.origin("dns")) == ((), "h.toml:2")


def test_the_debug_level_traces_messages_and_packets():
    settings = settings_from(parse('[log]\nlevel = "debug"\n'), ())
    assert settings.link.trace
    assert settings.control.trace_messages


def test_workers_by_the_number_of_processors() -> None:
    assert [usual_workers(processors) for processors in (1, 2, 3, 4, 8, 64)] == [1, 1, 1, 2, 4, 4]
    assert parse("").config.gateway.workers is None
    assert parse("[gateway]\nworkers = 16").config.gateway.workers == 16
