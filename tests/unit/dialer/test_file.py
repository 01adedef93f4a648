"""Tunnels in a TOML file."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from holdfast.config.problems import InvalidConfigError, UnreadableConfigError
from holdfast.dialer.file import load, parse
from holdfast.dialer.metrics import MetricsSettings
from holdfast.dialer.settings import RouteMode, TunnelSettings
from holdfast.ppp.config import MppePolicy

SMALL = '[tunnel.office]\nhost = "vpn.example"\nuser = "alice"\n'


def test_host_and_user_are_enough() -> None:
    (one,) = parse(SMALL).tunnels
    assert one.settings == TunnelSettings("vpn.example", "alice", name="office", interface="pptp0")
    assert (one.password_file, one.password_credential) == (None, None)


def test_everything_else() -> None:
    text = (
        SMALL
        + """
password_file = "/etc/holdfast/office"
interface = "work0"
mppe = "prefer"
mtu = 1300
routes = "full"
networks = ["10.0.0.0/8"]
retry_max = 30
max_tries = 5
kill_switch = true
heartbeat = "10.0.0.1"
heartbeat_failures = 5
control_interval = 30
hooks = ["/etc/holdfast/hook"]
marks = [100]
[tunnel.lab]
host = "192.0.2.1"
user = "bob"
"""
    )
    one, other = parse(text).tunnels
    settings = one.settings
    assert one.password_file == Path("/etc/holdfast/office")
    assert (settings.interface, settings.link.mppe, settings.link.mtu) == ("work0", MppePolicy.PREFER, 1300)
    assert (settings.routes.mode, settings.routes.networks) == (RouteMode.FULL, (IPv4Network("10.0.0.0/8"),))
    assert (settings.reconnect.maximum, settings.reconnect.maximum_tries) == (30, 5)
    assert (settings.keepalive.heartbeat, settings.keepalive.heartbeat_failures) == ("10.0.0.1", 5)
    assert (settings.keepalive.control_interval, settings.keepalive.control_timeout) == (30, 60)
    assert settings.hooks == (Path("/etc/holdfast/hook"),)
    assert settings.kill_switch
    assert other.settings.interface == "pptp1"


def test_metrics_are_off_unless_the_file_says_where() -> None:
    assert parse(SMALL).metrics is None
    assert parse(SMALL + "[metrics]\nlisten = '127.0.0.1:9724'").metrics == MetricsSettings("127.0.0.1", 9724)
    text = SMALL + "[metrics]\nlisten = '192.0.2.1:9724'\ntoken_file = '/etc/holdfast/token'"
    assert parse(text).metrics == MetricsSettings("192.0.2.1", 9724, Path("/etc/holdfast/token"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "this key is needed"),
        ("[tunnel.x]", "tunnel.x.host: this key is needed"),
        (SMALL + "roots = 'full'", "Did you mean 'routes'"),
        (SMALL + "mtu = 9000", ":4: tunnel.office.mtu"),
        (SMALL + "routes = 'all'", "tunnel.office.routes"),
        (SMALL + "networks = ['10.0.0.0/99']", "networks"),
        (SMALL + "hooks = ['up.sh']", "whole path"),
        (SMALL + "retry_min = 90", "longer than retry_max"),
        (SMALL + "authentication = ['pap']", "gives no encryption keys"),
        (SMALL + "password_file = 'a'\npassword_credential = 'b'", "keep one of the two"),
        (SMALL + "interface = 'pptp1'\n[tunnel.b]\nhost='h'\nuser='u'", "that of tunnel office already"),
        ("[tunnel.'a/b']\nhost='h'\nuser='u'", "pattern"),
        (SMALL + "interface = 'a b'", "interface"),
        (SMALL + "domains = ['a b']", "domains"),
        ("x = [", "not TOML"),
        ("[gateway]", "there is no such key"),
        (SMALL + "[metrics]\nlisten = '0.0.0.0'", "everybody who reaches this address"),
        (SMALL + "[metrics]\nlisten = '127.0.0.1'\ntoken_fil = 'x'", "Did you mean 'token_file'"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse(text, "dial.toml")
    assert words in caught.value.text()
    assert "dial.toml" in caught.value.text()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableConfigError, match="No such file"):
        load(tmp_path / "none")
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    with pytest.raises(UnreadableConfigError, match="UTF-8"):
        load(tmp_path / "bad")
    (tmp_path / "good").write_text(SMALL)
    assert len(load(tmp_path / "good").tunnels) == 1
