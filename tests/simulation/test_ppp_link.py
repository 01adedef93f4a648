"""Two links in virtual time: every method, policy, strength and mode; bad wires; hand-over at every moment."""

from dataclasses import replace
from itertools import product

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import (
    AuthenticationFailed,
    IpOpened,
    LcpOpened,
    LinkTerminated,
    MppeOpened,
    MppeRekeyed,
    PppPacketSeen,
)
from holdfast.ppp.authentication import Method, Verdict
from holdfast.ppp.commands import (
    CloseNetwork,
    LinkFinished,
    OpenNetwork,
    RequireMppe,
    ResetMppeSend,
    StartMppe,
    StopMppe,
)
from holdfast.ppp.config import IpcpConfig, MppeMode, MppePolicy
from holdfast.ppp.ipcp import IpcpRules
from holdfast.ppp.link import Phase
from holdfast.secret import Secret
from support.ppp import ADDRESSES, DIALER, GATEWAY, USER, End, Wire, dialer, gateway, pair

KEYLESS = (Method.PAP, Method.CHAP_MD5)
KEYED = (Method.MS_CHAP, Method.MS_CHAP_V2)
REQUIRE, PREFER, OFF = MppePolicy.REQUIRE, MppePolicy.PREFER, MppePolicy.OFF


def is_up(end: End) -> bool:
    return bool(end.link.status()["network_open"])


def check_keys(left: End, right: End) -> None:
    """What one side sends with, the other receives with."""
    ours, theirs = left.told(StartMppe)[-1], right.told(StartMppe)[-1]
    assert ours.send == theirs.receive
    assert ours.receive == theirs.send


@pytest.mark.parametrize("method", KEYED)
@pytest.mark.parametrize("bits", [40, 56, 128])
@pytest.mark.parametrize("mode", list(MppeMode))
def test_encrypted_link_comes_up(method: Method, bits: int, mode: MppeMode) -> None:
    settings = {"policy": REQUIRE, "bits": (bits,), "modes": (mode,)}
    network = pair(gateway(method, **settings), dialer(method, **settings)).start().run(2.0)
    left, right = network.ends
    for end in network.ends:
        assert end.told(MppeOpened) == [MppeOpened(bits, mode.value)]
        assert end.told(StartMppe)[0].receive.bits == bits
        assert end.told(StartMppe)[0].send.mode is mode
        assert is_up(end)
    check_keys(left, right)
    assert left.told(OpenNetwork) == [OpenNetwork("10.77.0.1", "10.77.0.10")]
    assert right.told(OpenNetwork) == [OpenNetwork("10.77.0.10", "10.77.0.1")]
    assert right.told(IpOpened) == [IpOpened("10.77.0.10", "10.77.0.1", ADDRESSES.dns)]
    assert left.link.status()["user"] == right.link.status()["user"] == USER


@pytest.mark.parametrize("method", KEYLESS)
@pytest.mark.parametrize("policy", [PREFER, OFF])
def test_link_without_keys_comes_up_clear(method: Method, policy: MppePolicy) -> None:
    network = pair(gateway(method, policy=policy), dialer(method, policy=policy)).start().run(2.0)
    for end in network.ends:
        assert is_up(end)
        assert end.told(StartMppe) == []
        assert end.told(RequireMppe) == [RequireMppe(False)]


@pytest.mark.parametrize("method", KEYLESS)
def test_required_encryption_without_keys_ends_the_link(method: Method) -> None:
    network = pair(gateway(method), dialer(method, policy=PREFER)).start().run(30.0)
    for end in network.ends:
        assert end.told(OpenNetwork) == []
        assert end.told(LinkFinished)[0].reason is DisconnectReason.ENCRYPTION_MISMATCH


@pytest.mark.parametrize(("left", "right"), [*product((REQUIRE, PREFER, OFF), repeat=2)])
def test_policies_meet(left: MppePolicy, right: MppePolicy) -> None:
    network = pair(gateway(Method.MS_CHAP_V2, policy=left), dialer(Method.MS_CHAP_V2, policy=right)).start().run(40.0)
    mismatch = {left, right} == {REQUIRE, OFF}
    encrypted = OFF not in (left, right)
    for end in network.ends:
        assert is_up(end) is not mismatch
        assert bool(end.told(MppeOpened)) is encrypted
        if mismatch:
            assert end.told(LinkTerminated)[0].reason is DisconnectReason.ENCRYPTION_MISMATCH
            assert end.told(OpenNetwork) == []


@pytest.mark.parametrize(
    ("left", "right", "bits"),
    [((128, 40), (40,), 40), ((40, 56, 128), (128, 56), 128), ((56, 40), (128, 56, 40), 56), ((128,), (40,), None)],
)
def test_strongest_common_strength(left: tuple[int, ...], right: tuple[int, ...], bits: int | None) -> None:
    network = pair(gateway(Method.MS_CHAP_V2, bits=left), dialer(Method.MS_CHAP_V2, bits=right)).start().run(60.0)
    for end in network.ends:
        assert [event.bits for event in end.told(MppeOpened)] == ([] if bits is None else [bits])
        assert is_up(end) is (bits is not None)
    if bits is None:
        assert network.ends[0].told(LinkTerminated)[0].reason is DisconnectReason.ENCRYPTION_MISMATCH


@pytest.mark.parametrize(
    ("left", "right", "agreed"),
    [
        ((MppeMode.STATELESS, MppeMode.STATEFUL), (MppeMode.STATEFUL,), "stateful"),
        ((MppeMode.STATELESS, MppeMode.STATEFUL), (MppeMode.STATELESS,), "stateless"),
        ((MppeMode.STATEFUL,), (MppeMode.STATELESS,), None),
    ],
)
def test_modes_meet(left: tuple[MppeMode, ...], right: tuple[MppeMode, ...], agreed: str | None) -> None:
    network = pair(gateway(Method.MS_CHAP_V2, modes=left), dialer(Method.MS_CHAP_V2, modes=right)).start().run(60.0)
    for end in network.ends:
        assert [event.mode for event in end.told(MppeOpened)] == ([] if agreed is None else [agreed])
        assert end.link.finished is (agreed is None)


@pytest.mark.parametrize("offered", [Method.PAP, Method.CHAP_MD5, Method.MS_CHAP])
def test_a_nak_with_an_allowed_method_is_followed(offered: Method) -> None:
    network = pair(gateway(offered, Method.MS_CHAP_V2), dialer(Method.MS_CHAP_V2)).start().run(2.0)
    for end in network.ends:
        assert is_up(end)
        assert end.told(LcpOpened)[0].authentication == "ms-chap-v2"


def test_no_common_method_ends_with_a_refusal() -> None:
    network = pair(gateway(Method.PAP, policy=OFF), dialer(Method.MS_CHAP_V2, policy=OFF)).start().run(30.0)
    left, right = network.ends
    assert left.told(LinkTerminated)[0].reason is DisconnectReason.AUTH_REFUSED
    assert right.told(LinkTerminated)[0].reason is DisconnectReason.AUTH_REFUSED
    assert right.told(LinkTerminated)[0].by_peer


def test_a_dialer_never_sends_a_password_that_was_not_allowed() -> None:
    network = pair(gateway(Method.PAP, policy=OFF), dialer(Method.MS_CHAP_V2, policy=OFF)).start().run(30.0)
    assert not any(frame.startswith(b"\xc0\x23") for frame in network.ends[1].sent)


@pytest.mark.parametrize("method", [*KEYLESS, *KEYED])
def test_wrong_password(method: Method) -> None:
    settings = {"policy": PREFER}
    network = pair(gateway(method, **settings), dialer(method, **settings), stored=b"another").start().run(200.0)
    for end in network.ends:
        assert end.told(LinkTerminated)[0].reason is DisconnectReason.AUTH_FAILED
        assert end.told(AuthenticationFailed)
        assert end.told(OpenNetwork) == []
        assert len(end.told(LinkFinished)) == 1


def test_a_server_that_cannot_prove_itself_is_left() -> None:
    """Anyone can say Success; only who knows the password can say `S=` (RFC 2759 section 8.7)."""
    network = pair(gateway(Method.MS_CHAP_V2, policy=OFF), dialer(Method.MS_CHAP_V2, policy=OFF))
    network.ends[0].verdict = Verdict.accept(None, Secret(b"S=" + b"0" * 40))
    network.start().run(10.0)
    left = network.ends[1]
    assert left.told(LinkTerminated)[0].reason is DisconnectReason.AUTH_REFUSED
    assert not left.told(LinkTerminated)[0].by_peer
    assert [event.by_peer for event in left.told(AuthenticationFailed)] == [False]
    assert left.told(OpenNetwork) == []


@pytest.mark.parametrize("closer", [0, 1])
def test_close_is_polite_and_quick(closer: int) -> None:
    network = pair(gateway(Method.MS_CHAP_V2), dialer(Method.MS_CHAP_V2)).start().run(2.0)
    network.ends[closer].link.close(DisconnectReason.IDLE_TIMEOUT, "silent since noon", network.now)
    network.flush()
    network.run(6.0)
    closing, other = network.ends[closer], network.ends[1 - closer]
    assert closing.told(LinkTerminated) == [LinkTerminated(DisconnectReason.IDLE_TIMEOUT, "silent since noon", False)]
    assert other.told(LinkTerminated)[0].reason is DisconnectReason.IDLE_TIMEOUT
    assert other.told(LinkTerminated)[0].by_peer
    for end in network.ends:
        assert end.told(CloseNetwork) == [CloseNetwork()]
        assert end.told(StopMppe) == [StopMppe()]
        assert end.link.phase is Phase.DEAD
        assert isinstance(end.commands[-1], LinkFinished)


BAD_WIRES = [
    Wire(loss=0.3),
    Wire(duplicates=0.3),
    Wire(delay=(0.01, 0.4)),
    Wire(loss=0.2, duplicates=0.2, delay=(0.01, 0.3)),
]


@pytest.mark.parametrize("wire", BAD_WIRES)
@pytest.mark.parametrize("seed", range(12))
def test_a_bad_wire_delays_and_never_corrupts(wire: Wire, seed: int) -> None:
    """Whatever is lost, doubled or late: both ends come up with the same keys, or both know that it failed."""
    settings = {"bits": (128, 40)}
    network = pair(gateway(Method.MS_CHAP_V2, **settings), dialer(Method.MS_CHAP_V2, **settings), wire, seed).start()
    network.run(200.0)
    left, right = network.ends
    assert is_up(left) == is_up(right)
    if is_up(left):
        check_keys(left, right)
        assert left.link.status()["peer_address"] == right.link.status()["local_address"] == "10.77.0.10"
    else:
        assert all(end.link.finished and len(end.told(LinkFinished)) == 1 for end in network.ends)


def test_most_bad_wires_come_up() -> None:
    wires = [(wire, seed) for wire in BAD_WIRES for seed in range(12)]
    networks = [pair(gateway(Method.MS_CHAP_V2), dialer(Method.MS_CHAP_V2), *case).start().run(200.0) for case in wires]
    assert sum(is_up(network.ends[0]) for network in networks) > 0.95 * len(wires)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("method", [Method.PAP, Method.MS_CHAP_V2])
def test_a_hand_over_at_every_step_changes_nothing(seed: int, method: Method) -> None:
    """Both links are written down and read back after every single step, also on a bad wire."""
    wire = Wire(loss=0.1, duplicates=0.1, delay=(0.01, 0.2))
    settings = {"policy": PREFER}
    plain = pair(gateway(method, **settings), dialer(method, **settings), wire, seed).start()
    handed = pair(gateway(method, **settings), dialer(method, **settings), wire, seed).start()
    handed.after_each = lambda: [end.hand_over() for end in handed.ends] and None
    for network in (plain, handed):
        network.run(60.0)
        network.ends[1].link.close(DisconnectReason.USER_REQUEST, "done", network.now)
        network.flush()
        network.run(120.0)
    for one, other in zip(plain.ends, handed.ends, strict=True):
        assert one.sent == other.sent
        assert one.commands == other.commands
        assert one.events == other.events


def test_a_lost_success_costs_one_restart_timer() -> None:
    network = pair(GATEWAY, DIALER).start()
    lost = []
    while not network.ends[1].told(MppeOpened):
        flying = [entry for entry in network.flying if entry[3][:3] == b"\xc2\x23\x03"]
        if flying and not lost:
            network.flying.remove(flying[0])
            lost.append(flying[0])
        assert network.step()
    assert lost
    assert network.now < 4.0


def test_everything_is_traced_when_asked_and_no_secret_in_it() -> None:
    configs = [
        replace(config, trace=True) for config in (gateway(Method.PAP, policy=OFF), dialer(Method.PAP, policy=OFF))
    ]
    network = pair(*configs).start().run(2.0)
    seen = network.ends[0].told(PppPacketSeen)
    assert {event.protocol for event in seen} == {"LCP", "PAP", "IPCP"}
    assert "clientPass" not in repr(network.ends[0].events) + repr(network.ends[1].events)
    quiet = pair(gateway(Method.PAP, policy=OFF), dialer(Method.PAP, policy=OFF)).start().run(2.0)
    assert quiet.ends[0].told(PppPacketSeen) == []


def test_stateful_resets_are_asked_and_answered() -> None:
    settings = {"modes": (MppeMode.STATEFUL,)}
    network = pair(gateway(Method.MS_CHAP_V2, **settings), dialer(Method.MS_CHAP_V2, **settings)).start().run(2.0)
    left, right = network.ends
    for at in (2.0, 2.5):
        network.run(at)
        left.link.mppe_desync(network.now)
        left.link.mppe_desync(network.now)
        network.flush()
    network.run(10.0)
    assert [event.cause for event in left.told(MppeRekeyed)] == ["we asked the peer for a reset"] * 2
    assert right.told(ResetMppeSend) == [ResetMppeSend()] * 2
    assert [event.cause for event in right.told(MppeRekeyed)] == ["the peer asked for a reset"] * 2
    assert all(is_up(end) for end in network.ends)


def test_different_keys_are_renewed_once_then_the_link_ends() -> None:
    """Stateless packets that do not decrypt are no loss: new keys are tried once, then the end is honest."""
    network = pair(GATEWAY, DIALER).start().run(2.0)
    left, right = network.ends
    left.link.mppe_desync(2.0)
    network.flush()
    network.run(4.0)
    for end in network.ends:
        assert end.told(MppeRekeyed) == [MppeRekeyed("CCP opened again")]
        assert is_up(end)
    check_keys(left, right)
    left.link.mppe_desync(20.0)
    network.flush()
    network.run(30.0)
    assert left.told(LinkTerminated)[0].reason is DisconnectReason.ENCRYPTION_MISMATCH
    assert right.link.finished


def test_the_wish_of_a_dialer_reaches_the_gateway() -> None:
    config = replace(dialer(Method.MS_CHAP_V2), ipcp=IpcpConfig(assigns=False, wish="10.77.0.99"))
    network = pair(gateway(Method.MS_CHAP_V2), config).start().run(3.0)
    asked = [command for command in network.ends[0].commands if type(command).__name__ == "AssignAddress"]
    assert [(command.user, command.wish) for command in asked] == [(USER, "10.77.0.99")]
    assert network.ends[1].link.status()["local_address"] == "10.77.0.10"


def test_mutual_authentication_in_both_directions() -> None:
    """Both sides demand a proof; the two CHAP machines of a side share one protocol number."""
    both = {"demand": (Method.MS_CHAP_V2,), "accept": (Method.MS_CHAP_V2,)}
    left = replace(gateway(Method.MS_CHAP_V2), **both, credentials=dialer(Method.MS_CHAP_V2).credentials)
    right = replace(dialer(Method.MS_CHAP_V2), **both)
    network = pair(left, right).start().run(3.0)
    assert all(is_up(end) for end in network.ends)


def test_a_peer_that_never_asks_for_an_address_is_told_so(monkeypatch) -> None:
    """Max-Failure ends the Naks with an Ack of nothing (RFC 1661 section 4.6): there is nobody to send packets to."""
    whole = IpcpRules.request
    monkeypatch.setattr(IpcpRules, "request", lambda self: whole(self) if self.assigned else [])
    network = pair(gateway(policy=OFF), dialer(policy=OFF)).start().run(120.0)
    (finished,) = network.ends[0].told(LinkFinished)
    assert finished.reason is DisconnectReason.NO_ADDRESS
    assert not network.ends[0].told(OpenNetwork)
