"""The DNS servers of this machine."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from holdfast.policy.host_dns import host_dns


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("nameserver 192.0.2.1\n", ["192.0.2.1"]),
        ("# nameserver 192.0.2.9\nsearch example.org\nnameserver\nnameserver 192.0.2.1 # x\n", ["192.0.2.1"]),
        ("nameserver fd00::1\nnameserver 127.0.0.53\nnameserver 192.0.2.1\n", ["192.0.2.1"]),
        (
            "nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3",
            ["192.0.2.1", "192.0.2.2"],
        ),
        ("nameserver 0.0.0.0\nnameserver nonsense\n", []),
        ("", []),
    ],
)
def test_servers_of_a_file(tmp_path: Path, text: str, servers: list[str]) -> None:
    (tmp_path / "resolv.conf").write_text(text)
    assert host_dns((tmp_path / "resolv.conf",)) == tuple(map(IPv4Address, servers))


def test_a_stub_on_this_machine_leads_to_the_real_ones(tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\n")
    real.write_text("nameserver 192.0.2.1\n")
    assert host_dns((stub, real)) == (IPv4Address("192.0.2.1"),)


def test_no_file_means_no_server(tmp_path: Path) -> None:
    assert host_dns((tmp_path / "missing", tmp_path)) == ()
