"""Whatever stands in a file or comes out of a tunnel: an answer, or one of our own errors."""

import contextlib
from ipaddress import IPv4Address
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.dialer import dhcp, file, peers_file
from holdfast.dialer.addresses import HostView, objection
from holdfast.dialer.peers_words import SWITCHES, VALUES
from holdfast.errors import ConfigError
from holdfast.network import packets
from holdfast.network.netlink import Route

WORDS = sorted([*SWITCHES, *VALUES, "pty", "call", "file", "mppe", '"pptp h"', "5", "#", '"', "'", "\\", "10.0.0.1:"])
PEERS = Path("/etc/ppp/peers/x")
VIEW = HostView((IPv4Address("192.0.2.2"),), (Route("192.0.2.0/24", "eth0"), Route("0.0.0.0/0", "eth0", "192.0.2.1")))


@settings(max_examples=150)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=80))
def test_peers_files(text: str) -> None:
    def read(path: Path) -> str:
        if path != PEERS:
            raise ConfigError("cannot be read", where=str(path))
        return text

    with contextlib.suppress(ConfigError):
        made = peers_file.load(PEERS, read)
        assert made.settings.host
        assert 576 <= made.settings.link.mtu <= 1500
        assert all(note.meaning for note in made.notes)


@settings(max_examples=150)
@given(st.text(max_size=120) | st.text(alphabet='[tunel.x]=h"ostuer\n15{}', max_size=60))
def test_tunnel_files(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert file.parse(text)


@settings(max_examples=200)
@given(st.binary(max_size=600), st.integers(0, 2**32 - 1))
def test_packets_from_inside(octets: bytes, transaction: int) -> None:
    datagram = packets.read_datagram(octets)
    if datagram is not None:
        assert datagram.payload in octets
    packets.read_echo_reply(octets)
    dhcp.read_answer(octets, transaction)


@settings(max_examples=150)
@given(st.binary(max_size=200), st.integers(0, 65535), st.integers(0, 65535))
def test_a_datagram_survives_the_way(payload: bytes, source_port: int, port: int) -> None:
    here, there = IPv4Address("10.0.0.2"), IPv4Address("10.0.0.1")
    made = packets.read_datagram(packets.udp_packet(here, there, source_port, port, payload))
    assert made == packets.Datagram(here, source_port, port, payload)


@settings(max_examples=150)
@given(st.text(max_size=20) | st.ip_addresses().map(str), st.text(max_size=20) | st.ip_addresses().map(str))
def test_assigned_addresses(local: str, peer: str) -> None:
    sentence = objection(local, peer, IPv4Address("198.51.100.1"), VIEW)
    assert "\n" not in sentence
    if not sentence:
        assert not IPv4Address(local).is_loopback
        assert IPv4Address(local) not in VIEW.addresses
