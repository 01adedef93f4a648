"""Reading a host that is a folder of files, with a kernel that a test stands in for."""

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from holdfast.advise import read_host
from holdfast.advise.facts import Assignment
from holdfast.advise.read_host import HostReader, assignments, place_of, socket_address, sysctl_path
from holdfast.errors import HostError
from holdfast.network.kernel import Kernel, Sysctl

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:06BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1
   1: 0100007F:06BB 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4243 1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1
"""


class FakeNft:
    def __init__(self, listed: list[Any] | None) -> None:
        self._listed = listed

    def ruleset(self) -> list[Any]:
        if self._listed is None:
            raise HostError("nft refuses: Operation not permitted")
        return self._listed


def put(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    put(tmp_path, **{"proc/self/status": "Name:\tx\nCapEff:\t0000000000003000\n", "proc/net/tcp": TCP})
    return tmp_path


def reader(root: Path, listed: list[Any] | None = ()) -> HostReader:  # type: ignore[assignment]
    kernel = Kernel(sysctl=Sysctl(root / "proc/sys"), nft=FakeNft(None if listed is None else list(listed)))  # type: ignore[arg-type]
    return HostReader(root, kernel)


def test_an_empty_host_is_no_error(tmp_path: Path) -> None:
    facts = reader(tmp_path, None).read()
    assert (facts.sysctl, facts.boot_settings, facts.listeners, facts.loadable) == ({}, (), (), None)
    assert facts.firewall.trouble == "nft refuses: Operation not permitted"
    assert facts.devices == {"/dev/net/tun": "it does not exist", "/dev/ppp": "it does not exist"}
    assert facts.daemon.name == "holdfast"


def test_listeners_with_program_and_rights(host: Path) -> None:
    status = "CapEff:\t0000000000002000\n"
    put(host, **{"proc/612/comm": "pptpd\n", "proc/612/cmdline": "/usr/sbin/pptpd\0", "proc/612/status": status})
    (host / "proc/612/fd").mkdir()
    (host / "proc/612/fd/3").symlink_to("socket:[4242]")
    (listener,) = reader(host).read().listeners
    assert (listener.address, listener.program, listener.pid) == ("0.0.0.0", "pptpd", 612)
    assert listener.capabilities == {"CAP_NET_RAW"}


def test_a_listener_whose_owner_is_hidden(host: Path) -> None:
    (listener,) = reader(host).read().listeners
    assert (listener.program, listener.pid) == ("", 0)


def test_capabilities_of_this_process(host: Path) -> None:
    assert reader(host).read().capabilities == {"CAP_NET_ADMIN", "CAP_NET_RAW"}


def test_boot_settings_in_the_order_of_systemd(host: Path) -> None:
    put(
        host,
        **{
            "usr/lib/sysctl.d/50-default.conf": "net.ipv4.ip_forward = 0\n",
            "usr/lib/sysctl.d/60-hidden.conf": "net.ipv4.ip_forward = 7\n",
            "etc/sysctl.d/60-hidden.conf": "# nothing\n",
            "etc/sysctl.d/90-vpn.conf": "; a comment\n-net/ipv4/ip_forward=1\n",
            "etc/sysctl.conf": "net.ipv4.conf.eth0/5.forwarding=1\n",
        },
    )
    assert [(one.place, one.value) for one in reader(host).read().boot_settings] == [
        ("/usr/lib/sysctl.d/50-default.conf:1", "0"),
        ("/etc/sysctl.d/90-vpn.conf:2", "1"),
        ("/etc/sysctl.conf:1", "1"),
    ]


def test_a_linked_sysctl_conf_is_read_once_in_its_place(host: Path) -> None:
    put(host, **{"etc/sysctl.conf": "net.ipv4.ip_forward=1\n", "etc/sysctl.d/z.conf": "net.ipv4.ip_forward=0\n"})
    (host / "etc/sysctl.d/99-sysctl.conf").symlink_to("../sysctl.conf")
    values = [one.value for one in reader(host).read().boot_settings]
    assert values == ["1", "0"]


def test_keys_of_sysctl_files() -> None:
    assert sysctl_path("net.ipv4.ip_forward") == "net/ipv4/ip_forward"
    assert sysctl_path("net.ipv4.conf.eth0/5.forwarding") == "net/ipv4/conf/eth0.5/forwarding"
    assert sysctl_path("net/ipv4/conf/eth0.5/forwarding") == "net/ipv4/conf/eth0.5/forwarding"
    assert list(assignments("f", "a.b\n\n a.b = c = d ")) == [Assignment("f:3", "a/b", "c = d")]


def test_modules_loaded_built_in_and_loadable(host: Path) -> None:
    folder = f"lib/modules/{os.uname().release}"
    put(
        host,
        **{
            "proc/modules": "ppp_generic 40960 0 - Live 0x0\n",
            f"{folder}/modules.builtin": "kernel/drivers/net/tun.ko\n",
            f"{folder}/modules.dep": "kernel/net/ppp_mppe.ko.xz: kernel/net/ppp_generic.ko.xz\nkernel/fs/ext4.ko:\n",
        },
    )
    facts = reader(host).read()
    assert facts.modules == {"ppp_generic", "tun"}
    assert facts.loadable == {"ppp_mppe"}


def test_a_kernel_without_modules_tells_by_its_configuration(host: Path) -> None:
    with gzip.open(host / "proc/config.gz", "wt") as file:
        file.write("CONFIG_TUN=y\n# CONFIG_PPP is not set\nCONFIG_NF_CONNTRACK_PPTP=m\n")
    facts = reader(host).read()
    assert facts.modules == {"tun"}
    assert facts.loadable == frozenset()


def test_the_daemon_that_is_configured_or_listens(host: Path) -> None:
    put(
        host, **{"etc/pptpd.conf": "option /etc/ppp/own\nremoteip 10.0.0.2-9\n", "etc/ppp/own": "lcp-echo-interval 7\n"}
    )
    daemon = reader(host).read().daemon
    assert (daemon.name, daemon.echo_interval) == ("pptpd", 7)
    put(host, **{"etc/pptpd.conf": "", "etc/accel-ppp.conf": "[lcp]\necho-interval=9\n"})
    assert reader(host).read().daemon.name == "accel-ppp"


def test_the_peers_file_that_names_the_server(host: Path) -> None:
    put(
        host,
        **{"etc/ppp/peers/a": "pty 'pptp vpn.example.org'\n", "etc/ppp/peers/b": "pty 'pptp vpn.example'\nmtu 1300\n"},
    )
    peer = reader(host).peer("vpn.example")
    assert (peer.source, peer.mtu) == ("/etc/ppp/peers/b", 1300)
    assert reader(host).peer("other.example").source == ""


def test_logs(host: Path) -> None:
    put(host, **{"var/log/syslog": "", "var/log/journal/x": ""})
    logs = reader(host).read().logs
    assert (logs.journal_persistent, logs.files) == (True, ("/var/log/syslog",))
    assert 0 < logs.free <= logs.size


def test_what_iptables_wrote_is_read_as_iptables_writes_it(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = host / "iptables-save"
    command.write_text("#!/bin/sh\nprintf '*filter\\n:INPUT DROP [0:0]\\n-A INPUT -p gre -j ACCEPT\\n'\n")
    command.chmod(0o755)
    monkeypatch.setattr(read_host, "SEARCH_PATH", str(host))
    place = {"family": "ip", "table": "filter", "name": "INPUT"}
    listed: list[Any] = [
        {"chain": {**place, "hook": "input", "type": "filter"}},
        {"table": {"family": "inet", "name": "own"}},
    ]
    ruleset = reader(host, listed).read().firewall.ruleset
    assert ruleset[0] == listed[1]
    assert [next(iter(entry)) for entry in ruleset[1:]] == ["chain", "rule"]


def test_rules_of_legacy_iptables_that_nobody_can_list_are_said(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(host, **{"proc/net/ip_tables_names": "filter\n"})
    monkeypatch.setattr(read_host, "SEARCH_PATH", str(host))
    assert "iptables-legacy" in reader(host).read().firewall.trouble


def test_small_things() -> None:
    assert socket_address("0100007F") == "127.0.0.1"
    assert socket_address("0" * 32) == "::"
    assert place_of({"metainfo": {"version": "1"}}) == set()
    assert place_of({"table": {"family": "ip", "name": "nat"}}) == {("ip", "nat")}
