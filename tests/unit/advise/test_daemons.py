from ipaddress import ip_network

import pytest

from holdfast.advise import daemons


def test_pptpd_with_its_options() -> None:
    files = {
        daemons.PPTPD_CONF: "option /etc/ppp/vpn\nlocalip 10.0.0.1\nremoteip 10.0.0.8-15,10.0.0.100 # pool\nlogwtmp\n",
        "/etc/ppp/vpn": "mtu 1450\nlcp-echo-interval 30\n# lcp-echo-interval 5\nrequire-mppe-128\n",
    }
    made = daemons.pptpd(files)
    assert made.pools == (ip_network("10.0.0.8/29"), ip_network("10.0.0.100/32"))
    assert (made.name, made.echo_interval, made.mtu, made.uses_pppd) == ("pptpd", 30, 1450, True)


def test_pptpd_without_an_interval_sends_no_echo() -> None:
    assert daemons.pptpd({daemons.PPTPD_CONF: "remoteip 10.0.0.8"}).echo_interval == 0


def test_accel_ppp() -> None:
    pools = "[ip-pool]\ngw-ip-address=192.168.0.1\n192.168.0.2-255\n10.1.0.0/24,name=b\n"
    text = f"[ppp]\nmtu = 1400\n[lcp]\necho-interval=20 # s\n{pools}"
    made = daemons.accel({daemons.ACCEL_CONF: text})
    assert made.pools[-1] == ip_network("10.1.0.0/24")
    assert sum(pool.num_addresses for pool in made.pools) == 254 + 256
    assert (made.echo_interval, made.mtu) == (20, 1400)


def test_a_peers_file() -> None:
    made = daemons.pptp_linux(
        "/etc/ppp/peers/work", 'pty "pptp vpn --nolaunchpppd"\nlcp-echo-interval 10\nmtu 1400\nrefuse-eap\n'
    )
    assert (made.name, made.source, made.echo_interval, made.mtu) == ("pptp-linux", "/etc/ppp/peers/work", 10, 1400)
    assert made.refuses == {"eap"}


@pytest.mark.parametrize(
    "text", ["", "x", "10.0.0.9-1", "10.0.0.1-999", "10.0.0.0-10.255.255.255", "10.0.0.0/99", "1-2-3"]
)
def test_a_range_that_is_none_gives_no_pool(text: str) -> None:
    assert daemons.pptpd({daemons.PPTPD_CONF: f"remoteip {text}"}).pools == ()
