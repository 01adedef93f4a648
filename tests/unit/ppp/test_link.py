"""The link against single packets; conversations are in `tests/simulation/test_ppp_link*.py`."""

import gc
from dataclasses import replace
from random import Random

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import LcpOpened, LinkTerminated, PeerIdentified, PppViolation
from holdfast.ppp.authentication import Method, Verdict
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import ConfigureLink, LinkFinished, OpenNetwork, RequireMppe
from holdfast.ppp.config import CcpConfig, LcpConfig, MppePolicy, RestartConfig
from holdfast.ppp.framing import Protocol
from holdfast.ppp.link import Link, Phase
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet
from support.ppp import ADDRESSES, DIALER, GATEWAY, OPEN, End, Script, dialer, gateway, pair

LCP, CCP, IPCP = Protocol.LCP, Protocol.CCP, Protocol.IPCP
MAGIC = Option(5, b"peer")


def opened(config: object = OPEN, *options: Option) -> Script:
    """Return a conversation in which LCP is Opened."""
    script = Script(config)
    script.agree(LCP, script.heard(LCP)[0])
    script.say(LCP, 1, 1, *(options or (MAGIC,)))
    assert script.end.told(LcpOpened)
    return script


def ending(script: Script) -> LinkTerminated:
    """Return the one end of the link, told once as event and once as command."""
    terminated, finished = script.end.told(LinkTerminated), script.end.told(LinkFinished)
    assert len(terminated) == len(finished) == 1
    assert finished[0] == LinkFinished(terminated[0].reason, terminated[0].evidence)
    assert script.link.finished
    assert script.link.phase is Phase.DEAD
    assert script.link.deadline is None
    return terminated[0]


def test_a_configure_link_of_what_lcp_agreed() -> None:
    script = opened(replace(GATEWAY, lcp=LcpConfig(mru=1410, mtu=1450)), Option(1, b"\x05\x80"), MAGIC, Option(7))
    command = script.end.told(ConfigureLink)[0]
    assert command.mtu == 0x580 - 4, "MPPE takes four octets from the MRU of the peer"
    assert (command.mru, command.peer_magic) == (1410, int.from_bytes(b"peer"))
    assert (command.compress_protocol, command.omit_framing) == (True, False)
    assert command.local_magic == script.end.told(LcpOpened)[0].local_magic_number
    assert script.end.told(RequireMppe) == [RequireMppe(True)]


@pytest.mark.parametrize(("mru", "mtu"), [(1500, 1400), (1400, 1400), (1000, 1000)])
def test_mtu_without_encryption(mru: int, mtu: int) -> None:
    assert opened(OPEN, Option(1, mru.to_bytes(2))).end.told(ConfigureLink)[0].mtu == mtu


def test_nothing_but_lcp_before_lcp_is_opened() -> None:
    script = Script(GATEWAY)
    for protocol in (CCP, IPCP, Protocol.CHAP, Protocol.IPV6CP, Protocol.IP):
        assert script.say(protocol, 1, 1) == []
    assert script.heard(LCP)[0].code == Code.CONFIGURE_REQUEST


def test_nothing_but_authentication_before_it_succeeded() -> None:
    script = opened(GATEWAY)
    assert script.link.phase is Phase.AUTHENTICATE
    script.heard(LCP)
    for protocol in (CCP, IPCP, Protocol.IPV6CP, Protocol.PAP, 0x8031):
        assert script.say(protocol, 1, 1) == []
    assert script.heard(LCP) == []


@pytest.mark.parametrize("protocol", [Protocol.IPV6CP, Protocol.IPV6, CCP, 0x8031, Protocol.CHAP, Protocol.PAP])
def test_unknown_protocols_are_rejected_in_the_network_phase(protocol: int) -> None:
    script = opened()
    script.heard(LCP)
    script.say(protocol, 1, 7, Option(1, bytes(8)))
    answers = script.heard(LCP)
    assert [packet.code for packet in answers] == [Code.PROTOCOL_REJECT]
    assert answers[0].data[:2] == protocol.to_bytes(2)


def test_the_protocol_reject_has_the_packet() -> None:
    script = opened()
    answer = script.raw(bytes.fromhex("8057 01 07 0004"), LCP)[-1]
    assert (answer.code, answer.data) == (Code.PROTOCOL_REJECT, bytes.fromhex("8057 01070004"))


def test_user_data_that_comes_up_is_discarded() -> None:
    script = opened()
    script.heard(LCP)
    assert script.raw(bytes.fromhex("0021 45000014"), LCP) == []
    assert script.raw(bytes.fromhex("00fd 9000"), LCP) == []


@pytest.mark.parametrize("frame", [b"", b"\xc0", b"\xc0\x20", b"\xff\x03", b"\xff\x03\xc0"])
def test_a_frame_without_protocol_is_told(frame: bytes) -> None:
    script = opened()
    script.raw(frame, LCP)
    assert script.end.told(PppViolation)


def test_frames_with_address_and_control_are_taken() -> None:
    script = Script(OPEN)
    script.heard(LCP)
    assert script.raw(b"\xff\x03\xc0\x21" + Packet(1, 1).encode(), LCP) == [Packet(2, 1)]


def test_silence_is_a_fault_below_ppp() -> None:
    script = Script(OPEN)
    assert len(script.wait(100.0, LCP)) == 10
    end = ending(script)
    assert end.reason is DisconnectReason.NETWORK_ERROR
    assert "no PPP frame" in end.evidence


def test_a_peer_that_speaks_and_never_agrees() -> None:
    script = Script(OPEN)
    script.say(LCP, 1, 1, MAGIC)
    script.wait(100.0, LCP)
    assert ending(script).reason is DisconnectReason.NEGOTIATION_FAILED


def test_a_peer_that_terminates_while_lcp_negotiates_is_believed() -> None:
    script = Script(GATEWAY)
    script.heard(LCP)
    answers = script.say(LCP, 5, 9, data=b"peer refused to authenticate")
    assert answers == [Packet(Code.TERMINATE_ACK, 9)]
    end = ending(script)
    assert (end.reason, end.by_peer) == (DisconnectReason.AUTH_REFUSED, True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"magi\x00\x3c\xcd\x74\x00\x00\x02\xb3", DisconnectReason.AUTH_FAILED),
        (b"magi\x00\x3c\xcd\x74\x00\x00\x00\x00", DisconnectReason.USER_REQUEST),
        (b"MPPE required but peer refused", DisconnectReason.ENCRYPTION_MISMATCH),
        (b"", DisconnectReason.NEGOTIATION_FAILED),
        (b"\x1b[2J", DisconnectReason.NEGOTIATION_FAILED),
    ],
)
def test_what_the_peer_says_when_it_goes(data: bytes, reason: DisconnectReason) -> None:
    script = opened(GATEWAY)
    assert script.say(LCP, 5, 9, data=data)[-1] == Packet(Code.TERMINATE_ACK, 9)
    assert script.link.phase is Phase.TERMINATE
    assert script.wait(RestartConfig().linger, LCP) == []
    end = ending(script)
    assert (end.reason, end.by_peer) == (reason, True)
    assert end.evidence.isprintable()


def test_hanging_up_after_a_rejected_password_is_a_failed_authentication() -> None:
    network = pair(GATEWAY, DIALER)
    network.ends[0].verdict = Verdict.reject(retry=True)
    network.start().run(5.0)
    gateway_end = network.ends[0]
    gateway_end.link.receive(b"\xc0\x21" + Packet(5, 200).encode(), network.now)
    network.run(30.0)
    assert gateway_end.told(LinkTerminated)[0].reason is DisconnectReason.AUTH_FAILED


def test_close_before_anything_is_over_at_once() -> None:
    link = Link(OPEN, Random(1).randbytes)
    link.close(DisconnectReason.ADMIN, "an administrator said so", 0.0)
    assert link.commands() == [LinkFinished(DisconnectReason.ADMIN, "an administrator said so")]
    assert link.outgoing() == []


def test_close_of_a_silent_peer_takes_max_terminate() -> None:
    script = opened()
    script.link.close(DisconnectReason.ADMIN, "an administrator said so", script.now)
    assert [packet.code for packet in script.heard(LCP)][-1] == Code.TERMINATE_REQUEST
    assert [packet.data for packet in script.wait(60.0, LCP)] == [b"Admin"]
    assert ending(script).reason is DisconnectReason.ADMIN


def test_the_first_reason_counts() -> None:
    script = opened()
    script.link.close(DisconnectReason.IDLE_TIMEOUT, "first", script.now)
    script.link.close(DisconnectReason.ADMIN, "second", script.now)
    script.link.lower_down(script.now)
    script.heard(LCP)
    assert ending(script).evidence == "first"


def test_the_call_goes_away() -> None:
    script = opened()
    script.link.lower_down(script.now, "the control connection was lost")
    script.heard(LCP)
    assert ending(script) == LinkTerminated(
        DisconnectReason.NETWORK_ERROR, "the control connection was lost", by_peer=False
    )


def test_a_finished_link_is_deaf_and_dumb() -> None:
    script = opened()
    script.link.lower_down(script.now)
    script.heard(LCP)
    script.link.open(1.0)
    script.link.lower_up(1.0)
    script.link.handle_timer(100.0)
    script.link.close(DisconnectReason.ADMIN, "late", 100.0)
    script.link.address_assigned(ADDRESSES, 100.0)
    script.link.credentials_verified(Verdict.accept(), 100.0)
    script.link.mppe_desync(100.0)
    assert script.say(LCP, 1, 1) == []
    assert (script.link.outgoing(), script.link.commands(), script.link.events()) == ([], [], [])


def test_eap_is_offered_and_another_method_where_it_is_not_wanted() -> None:
    script = Script(replace(OPEN, demand=(Method.EAP, Method.PAP)))
    request = script.heard(LCP)[0]
    assert Option(3, b"\xc2\x27") in request.options()
    (next_one,) = script.say(LCP, Code.CONFIGURE_NAK, request.identifier, Option(3, b"\xc0\x23"))
    assert Option(3, b"\xc0\x23") in next_one.options()


def test_we_never_prove_ourselves_by_eap() -> None:
    script = Script(replace(DIALER, accept=(Method.EAP, Method.MS_CHAP_V2)))
    (answer,) = [p for p in script.say(LCP, 1, 1, Option(3, b"\xc2\x27")) if p.code == Code.CONFIGURE_NAK]
    assert answer.options() == [Option(3, b"\xc2\x23\x81")]


def test_a_rejected_authentication_protocol_is_a_refusal() -> None:
    script = opened(GATEWAY)
    script.say(LCP, Code.PROTOCOL_REJECT, 1, data=b"\xc2\x23\x01\x01")
    script.wait(60.0, LCP)
    assert ending(script).reason is DisconnectReason.AUTH_REFUSED


@pytest.mark.parametrize(
    ("code", "data"), [(Code.PROTOCOL_REJECT, b"\xc0\x21"), (Code.CODE_REJECT, b"\x01\x01\x00\x04")]
)
def test_a_peer_that_rejects_the_foundations(code: Code, data: bytes) -> None:
    script = opened()
    script.say(LCP, code, 1, data=data)
    script.wait(60.0, LCP)
    assert ending(script).reason is DisconnectReason.PROTOCOL_FAILURE


def test_our_own_echo_ends_the_link() -> None:
    script = opened()
    magic = script.end.told(LcpOpened)[0].local_magic_number.to_bytes(4)
    script.say(LCP, Code.ECHO_REQUEST, 1, data=magic)
    script.wait(60.0, LCP)
    assert ending(script).reason is DisconnectReason.NETWORK_ERROR


def test_maintenance() -> None:
    script = opened(replace(OPEN, lcp=LcpConfig(identification="Holdfast")))
    sent = [frame[2:] for frame in script.end.sent if frame[:2] == b"\xc0\x21"]
    assert [information[8:] for information in sent if information[0] == Code.IDENTIFICATION] == [b"Holdfast"]
    script.link.send_echo(script.now, size=100)
    script.link.time_remaining(60, script.now)
    assert [packet.code for packet in script.heard(LCP)][-2:] == [Code.ECHO_REQUEST, Code.TIME_REMAINING]
    script.say(LCP, Code.IDENTIFICATION, 1, data=b"peerMSRASV5.20")
    assert script.end.told(PeerIdentified) == [PeerIdentified("MSRASV5.20")]


def test_lcp_negotiated_again_starts_all_over() -> None:
    """A new Configure-Request on a link that is up: traffic stops, everyone proves himself again, new keys."""
    network = pair(GATEWAY, DIALER).start().run(5.0)
    left = network.ends[0]
    before = len(left.commands)
    left.link.receive(b"\xc0\x21" + Packet(1, 250, b"").encode(), network.now)
    network.flush()
    kinds = [type(command).__name__ for command in left.commands[before:]]
    assert kinds[:2] == ["CloseNetwork", "StopMppe"]
    network.run(20.0)
    assert left.link.status()["network_open"]
    first, second = left.told(OpenNetwork)
    assert first == second, "the same address as before"


def test_status_is_plain_data() -> None:
    network = pair(GATEWAY, DIALER).start().run(5.0)
    status = network.ends[0].link.status()
    assert {key: status[key] for key in ("phase", "local_mru", "peer_mru", "method", "user", "mppe_bits")} == {
        "phase": "network", "local_mru": 1400, "peer_mru": 1400, "method": "ms-chap-v2", "user": "alice",
        "mppe_bits": 128,
    }  # fmt: skip


def test_no_secret_shows() -> None:
    network = pair(GATEWAY, DIALER).start().run(5.0)
    for end in network.ends:
        assert "clientPass" not in repr(end.events) + repr(end.commands) + repr(end.link.status())


def test_five_thousand_links_are_small() -> None:
    """A link that is up needs a few KiB, far below the 60 KiB that a session may cost."""
    end = pair(GATEWAY, DIALER).start().run(5.0).ends[0]
    shared = {id(part) for root in (end.config, type(end.link)) for part in _reachable(root, set())}
    size = sum(part.__sizeof__() for part in _reachable(end.link, shared))
    assert 2_000 < size < 12_000, size


def _reachable(root: object, without: set[int]) -> list[object]:
    seen, todo, found = set(without), [root], []
    while todo:
        part = todo.pop()
        if id(part) in seen or isinstance(part, type) or callable(part) or type(part).__name__ == "module":
            continue
        seen.add(id(part))
        found.append(part)
        todo += gc.get_referents(part)
    return found


@pytest.mark.parametrize("policy", list(MppePolicy))
def test_policy_reaches_the_engine_when_lcp_opens(policy: MppePolicy) -> None:
    script = opened(replace(OPEN, demand=(Method.MS_CHAP_V2,), ccp=CcpConfig(policy=policy)))
    assert script.end.told(RequireMppe) == [RequireMppe(policy is MppePolicy.REQUIRE)]


def test_trace_can_be_switched_while_running() -> None:
    end = End(gateway(Method.MS_CHAP_V2), 1)
    assert not end.link.trace
    end.link.trace = True
    end.link.open(0.0)
    end.link.lower_up(0.0)
    end.drain(0.0)
    assert [event.name for event in end.events] == ["PPP_PACKET"]


def test_a_dialer_without_credentials_refuses_to_prove_itself() -> None:
    script = Script(replace(dialer(Method.MS_CHAP_V2), credentials=None))
    script.heard(LCP)
    packet = script.say(LCP, 1, 1, Option(3, b"\xc2\x23\x81"))[0]
    assert packet.code == Code.CONFIGURE_REJECT
