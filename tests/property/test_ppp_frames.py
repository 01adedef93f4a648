"""Whatever a peer sends: nothing is raised, little is answered, and the link ends or comes up."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.events import PppPacketSeen, PppViolation
from holdfast.ppp.authentication import Method
from holdfast.ppp.codes import Code
from holdfast.ppp.config import IpcpConfig, LinkConfig, MppePolicy
from holdfast.ppp.control_protocol_types import MAX_VIOLATIONS
from holdfast.ppp.framing import Protocol, join, split
from holdfast.ppp.link import Link
from holdfast.ppp.options import Option, describe_options
from holdfast.ppp.packet import Packet, describe, parse
from holdfast.wire.errors import MalformedError
from holdfast.wire.tlv import write_options
from support.ppp import GATEWAY, OPEN, End, Script, dialer, gateway

LCP = Protocol.LCP
CONFIGS: list[LinkConfig] = [
    replace(OPEN, trace=True),
    GATEWAY,
    gateway(Method.PAP, Method.CHAP_MD5, policy=MppePolicy.PREFER),
    dialer(Method.MS_CHAP_V2),
    replace(OPEN, ipcp=IpcpConfig(assigns=False)),
]
PROTOCOLS = st.sampled_from([*Protocol, 0x8031, 0x8281])

options = st.lists(
    st.builds(Option, st.integers(0, 255) | st.sampled_from([1, 3, 5, 18, 129]), st.binary(max_size=12)), max_size=6
).map(write_options)
malformed = st.sampled_from([b"\x01", b"\x01\x00", b"\x01\x01", b"\x03\x09\xc2", b"\x12\xff"])
data = options | malformed | st.binary(max_size=40)
packets = st.builds(Packet, st.integers(0, 255) | st.sampled_from(list(Code)), st.integers(0, 12), data)
frames = (
    st.builds(lambda protocol, packet: join(protocol, packet.encode()), PROTOCOLS, packets)
    | st.builds(join, PROTOCOLS, st.binary(max_size=30))
    | st.binary(max_size=30)
)


def start(config: LinkConfig, *, opened: bool) -> Script:
    """Return a link that just began, or one whose LCP is Opened."""
    script = Script(config)
    if opened:
        script.say(LCP, 1, 200, Option(5, b"peer"))
        request = next(frame[2:] for frame in script.end.sent if frame[2] == 1)
        script.agree(LCP, parse(request))
    return script


@given(st.sampled_from(CONFIGS), st.booleans(), st.lists(frames, max_size=25))
@settings(max_examples=300, deadline=None)
def test_random_frames(config: LinkConfig, opened: bool, sent: list[bytes]) -> None:
    script = start(config, opened=opened)
    before = len(script.end.sent)
    for frame in sent:
        script.link.receive(frame, script.now)
        script.end.drain(script.now)
    assert len(script.end.sent) - before <= 6 * len(sent)
    assert all(split(frame) is not None for frame in script.end.sent)


@given(st.sampled_from(CONFIGS), st.booleans(), st.lists(frames, max_size=15))
@settings(max_examples=150, deadline=None)
def test_after_any_frames_a_silent_peer_ends_the_link(config: LinkConfig, opened: bool, sent: list[bytes]) -> None:
    script = start(config, opened=opened)
    for frame in sent:
        script.link.receive(frame, script.now)
        script.end.drain(script.now)
    for _ in range(300):
        script.wait(10.0, LCP)
    assert script.link.deadline is None
    assert script.link.finished or script.link.status()["network_open"]


@given(st.sampled_from(CONFIGS), st.booleans(), st.lists(frames, max_size=15))
@settings(max_examples=100, deadline=None)
def test_any_state_can_be_written_down(config: LinkConfig, opened: bool, sent: list[bytes]) -> None:
    script = start(config, opened=opened)
    for frame in sent:
        script.link.receive(frame, script.now)
        script.end.drain(script.now)
    state = script.link.snapshot()
    assert Link.restore(state, config, script.end.entropy).snapshot() == state
    check_plain(state)


def check_plain(value: object) -> None:
    """A snapshot is plain data, all the way down."""
    if isinstance(value, dict):
        for key, part in value.items():
            assert type(key) is str
            check_plain(part)
    elif isinstance(value, list | tuple):
        for part in value:
            check_plain(part)
    else:
        assert value is None or type(value) in (str, int, float, bool, bytes)


@given(st.lists(st.builds(Option, st.integers(0, 255), st.binary(max_size=12)), max_size=8))
@settings(max_examples=200, deadline=None)
def test_every_configure_request_is_answered_rightly(asked: list[Option]) -> None:
    """Ack: the same options; Nak: values of options that were asked; Reject: a part of them, in order."""
    for config in CONFIGS:
        script = Script(config)
        script.heard(LCP)
        for answer in script.say(LCP, 1, 77, *asked):
            assert answer.identifier == 77
            got = answer.options()
            if answer.code == Code.CONFIGURE_ACK:
                assert got == asked
            elif answer.code == Code.CONFIGURE_NAK:
                assert {option.type for option in got} <= {option.type for option in asked}
            else:
                assert answer.code == Code.CONFIGURE_REJECT
                rest = iter(asked)
                assert all(option in rest for option in got)


@given(st.integers(0, 0xFFFF), packets)
@settings(max_examples=300, deadline=None)
def test_everything_can_be_described(protocol: int, packet: Packet) -> None:
    for number in (protocol, *Protocol):
        assert describe(number, packet).isprintable()


@given(st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_parsers_raise_nothing_else(octets: bytes) -> None:
    split(octets)
    try:
        packet = parse(octets)
        describe_options(LCP, packet.options())
    except MalformedError:
        return
    assert parse(packet.encode()) == packet


def test_configure_requests_without_end_cost_one_answer_each_and_no_memory() -> None:
    script = Script(GATEWAY)
    script.heard(LCP)
    for number in range(3000):
        assert len(script.say(LCP, 1, number & 0xFF, Option(5, bytes(4)))) == 1
    assert len(script.end.events) == 0
    assert len(repr(script.link.snapshot())) < 5000


def test_an_open_link_that_is_reopened_without_end_answers_in_proportion() -> None:
    script = start(OPEN, opened=True)
    for number in range(1000):
        answers = script.say(LCP, 1, number & 0xFF, Option(5, b"peer"))
        assert len(answers) <= 2
    assert len(repr(script.link.snapshot())) < 5000


def test_violations_do_not_fill_a_log() -> None:
    end = End(GATEWAY, 1)
    end.link.open(0.0)
    end.link.lower_up(0.0)
    for number in range(1000):
        end.link.receive(b"\xc0\x21\x01" + bytes((number & 0xFF,)) + b"\x00\x05\x01", 0.0)
    end.drain(0.0)
    assert len(end.told(PppViolation)) == MAX_VIOLATIONS
    assert end.told(PppPacketSeen) == []
