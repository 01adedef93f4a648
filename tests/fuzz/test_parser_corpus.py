"""Every parser over the seeds of its folder in `corpus`, and over what becomes of them when octets change.

A parser either understands or says so in its own way; it raises nothing else, and what it read it writes again as it
was. What a fuzzer finds is added to the folder as a file and stays. HOLDFAST_FUZZ_EXAMPLES sets how many changed seeds
each parser is given (`make fuzz` gives many).
"""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.capture.logs.judge import read_log
from holdfast.config import parse as parse_config
from holdfast.config.problems import InvalidConfigError
from holdfast.dialer import dhcp, peers_file
from holdfast.errors import ConfigError
from holdfast.gre import codec
from holdfast.network.packets import read_datagram, read_echo_reply
from holdfast.policy import chap_secrets
from holdfast.ppp import authentication_packets as chap
from holdfast.ppp.authentication import AuthenticatorConfig, EapRequest, Method, make_authenticator
from holdfast.ppp.authentication_text import describe_authentication
from holdfast.ppp.eap import read_exactly
from holdfast.ppp.framing import Protocol, split
from holdfast.ppp.mschap import verdict_from_failure
from holdfast.ppp.options import describe_options
from holdfast.ppp.packet import describe, parse
from holdfast.radius.attributes import describe as describe_attribute
from holdfast.radius.attributes import read_attributes, write_attributes
from holdfast.radius.packet import HEADER_SIZE, NOTHING, PacketFault, read_packet, read_reply, read_request
from holdfast.secret import Secret
from holdfast.watch.packets import call_id, look, quoted, segment
from holdfast.watch.tape import clean
from holdfast.wire.errors import MalformedError
from holdfast.wire.tlv import read_options, write_options

LINE_SHOWN = 170
CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = int(os.environ.get("HOLDFAST_FUZZ_EXAMPLES", "150"))


def take_options(octets: bytes) -> None:
    try:
        options = read_options(octets)
    except MalformedError:
        return
    assert write_options(options) == octets
    for protocol in Protocol:
        assert describe_options(protocol, options).isprintable()


def take_ppp(octets: bytes) -> None:
    frame = split(octets)
    if frame is None:
        return
    try:
        packet = parse(frame.information)
    except MalformedError:
        return
    assert parse(packet.encode()) == packet
    for protocol in (frame.protocol, *Protocol):
        assert describe(protocol, packet).isprintable()


def take_chap(octets: bytes) -> None:
    value = chap.parse_value(octets)
    if value is not None:
        assert chap.build_value(value.value, value.name) == octets
        chap.parse_response(value.value)
        chap.parse_response_v2(value.value)
    request = chap.parse_request(octets)
    if request is not None:
        assert octets.startswith(chap.build_request(request.peer_id, request.password.reveal()))
    assert chap.parse_message(octets).isprintable()
    chap.parse_failure(octets)
    assert not verdict_from_failure(octets).accepted
    for protocol in (Protocol.PAP, Protocol.CHAP):
        for code in range(6):
            assert describe_authentication(protocol, code, octets).isprintable()


def take_eap(octets: bytes) -> None:
    """The machine hears it from the peer and from the server."""
    machine = make_authenticator(Method.EAP, AuthenticatorConfig(), bytes)
    machine.start(0.0)
    machine.receive(octets, 0.0)
    machine.receive(b"\x02\x01\x00\x06\x01a", 0.0)
    machine.commands()
    machine.credentials_verified(EapRequest(Secret(octets)), 0.0)
    machine.receive(octets, 0.0)
    assert machine.outcome is None or not machine.outcome.succeeded
    packet = read_exactly(octets)
    assert packet is None or packet.encode() == octets
    for code in range(6):
        assert describe_authentication(Protocol.EAP, code, octets).isprintable()


def take_gre(octets: bytes) -> None:
    packet = codec.read(octets)
    if isinstance(packet, codec.GreFault):
        assert codec.parse(octets) is None
    else:
        assert codec.parse(codec.build(packet)) == packet
        assert len(packet.payload) <= len(octets)


def take_config(octets: bytes) -> None:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return  # `load` says so; `parse` takes text
    try:
        assert parse_config(text).settings()
    except InvalidConfigError as error:
        said = error.text()
    else:
        return
    assert said


def take_chap_secrets(octets: bytes) -> None:
    for line in chap_secrets.parse(octets):
        if isinstance(line, chap_secrets.Skipped):
            assert line.client.isprintable()
            assert line.why
        else:
            assert line.credentials("someone").record.name


def take_radius(octets: bytes) -> None:
    """As a reply, as a request, and unsigned: what was understood can be named and written again."""
    shared = Secret(b"shared")
    for read in (read_reply(octets, NOTHING, shared), read_request(octets, shared)):
        assert isinstance(read, PacketFault), "nobody knows the secret"
    try:
        packet = read_packet(octets)
    except MalformedError:
        return
    assert read_attributes(write_attributes(packet.attributes)) == packet.attributes
    assert len(octets) >= HEADER_SIZE
    for attribute in packet.attributes:
        assert describe_attribute(attribute).isprintable()
        assert attribute.name.isprintable()


def take_dhcp(octets: bytes) -> None:
    """The packet as it comes out of the tunnel, and the octets as they are."""
    datagram = read_datagram(octets)
    read_echo_reply(octets)
    for message in (octets, datagram.payload if datagram else b""):
        answer = dhcp.read_answer(message, int.from_bytes(message[4:8]))
        if answer is not None:
            chosen = dhcp.accept(answer, everything=False)
            assert all(network.prefixlen > 1 for network in chosen.routes)
            assert all(text.isprintable() for text in (answer.domain, *chosen.refused))


def take_peers(octets: bytes) -> None:
    try:
        peers = peers_file.load(Path("/peers/x"), lambda _path: octets.decode("utf-8", "replace"))
    except ConfigError as error:
        said = str(error)
    else:
        said = peers.settings.host
        assert all(note.meaning for note in peers.notes)
    assert said


def take_log(octets: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(octets)
        file.flush()
        log = read_log(file.name)
    json.dumps(log.as_data())
    for session in log.sessions:
        assert session.told or session.up
        assert all(len(said.words) <= LINE_SHOWN for said in session.said)


def take_live_packet(octets: bytes) -> None:
    seen = look(int.from_bytes(octets[:2]), octets[2:])
    if seen is None:
        return
    segment(seen)
    call_id(seen)
    quoted(seen)
    kept, _ = clean(seen)
    assert seen.ip.startswith(kept[: seen.at])
    assert len(kept) <= len(seen.ip)


TAKERS: dict[str, Callable[[bytes], None]] = {
    "options": take_options,
    "ppp": take_ppp,
    "chap": take_chap,
    "eap": take_eap,
    "gre": take_gre,
    "config": take_config,
    "chap_secrets": take_chap_secrets,
    "radius": take_radius,
    "dhcp": take_dhcp,
    "peers": take_peers,
    "log": take_log,
    "live_packet": take_live_packet,
}
SEEDS = {name: sorted((CORPUS / name).iterdir()) for name in TAKERS}


@pytest.mark.parametrize("name", [f"{name}/{seed.name}" for name, seeds in SEEDS.items() for seed in seeds])
def test_seed(name: str) -> None:
    take, octets = TAKERS[name.partition("/")[0]], (CORPUS / name).read_bytes()
    for end in range(max(0, len(octets) - 400), len(octets) + 1):
        take(octets[:end])


@st.composite
def changed(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """One seed, or the beginning of one and the end of another, with some octets changed, added and taken out."""
    octets = bytearray(draw(st.sampled_from(seeds)))
    if draw(st.booleans()):
        other = draw(st.sampled_from(seeds))
        octets = octets[: draw(st.integers(0, len(octets)))] + other[draw(st.integers(0, len(other))) :]
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(octets)))
        length = draw(st.integers(0, 3))
        octets[place : place + length] = draw(st.binary(max_size=4))
    return bytes(octets)


@pytest.mark.parametrize("name", TAKERS)
def test_changed_seeds(name: str) -> None:
    seeds = [path.read_bytes() for path in SEEDS[name]]

    @given(changed(seeds))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def run(octets: bytes) -> None:
        TAKERS[name](octets)

    run()
