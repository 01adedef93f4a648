"""Encryption of a link: decided, interrupted, given up; what each policy makes of it."""

from random import Random
from typing import Any

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import MppeOpened, MppeRekeyed
from holdfast.ppp.authentication import Method
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import MppeDirection, RequireMppe, ResetMppeSend, StartMppe, StopMppe
from holdfast.ppp.config import LinkConfig, MppeMode, MppePolicy
from holdfast.ppp.control_protocol_types import Outbox
from holdfast.ppp.link_encryption import RENEWAL_INTERVAL, Encryption, LinkEncryption
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet, parse
from holdfast.secret import Secret
from holdfast.wire.tlv import write_options
from support.ppp import GATEWAY, gateway

KEYS = MppeKeyPair(Secret(Random(1).randbytes(16)), Secret(Random(2).randbytes(16)))
PREFER = gateway(Method.MS_CHAP_V2, policy=MppePolicy.PREFER)
OFF = gateway(Method.MS_CHAP_V2, policy=MppePolicy.OFF)
STATEFUL = gateway(Method.MS_CHAP_V2, modes=(MppeMode.STATEFUL,))
MISMATCH = DisconnectReason.ENCRYPTION_MISMATCH


def mppe(value: int = 0x01000040) -> Option:
    return Option(18, value.to_bytes(4))


class Stage:
    """Encryption alone; plays its owner and its listener, and writes down what it is told, in order."""

    def __init__(self, config: LinkConfig = GATEWAY, keys: MppeKeyPair | None = KEYS) -> None:
        self.outbox = Outbox()
        self.told: list[Any] = []
        self.was_open = False
        self.encryption = LinkEncryption(config, self, self, self.outbox)
        self.encryption.start(keys, 0.0)

    def command(self, command: Any) -> None:
        self.told.append(command)

    def end(
        self, reason: DisconnectReason, evidence: str, _now: float, *, by_peer: bool = False, text: str = ""
    ) -> None:
        self.told.append((reason, by_peer))
        assert evidence
        assert not text

    def encryption_decided(self, _now: float) -> None:
        self.told.append("decided")

    def encryption_interrupted(self) -> None:
        self.told.append("interrupted")

    def take(self) -> list[Any]:
        taken, self.told = self.told, []
        return taken

    def sent(self) -> list[Packet]:
        frames, self.outbox.frames = self.outbox.frames, []
        return [parse(frame[2:]) for frame in frames]

    def say(self, code: int, identifier: int, *options: Option, data: bytes = b"", now: float = 0.0) -> list[Packet]:
        self.encryption.receive(Packet(code, identifier, write_options(options) + data).encode(), now)
        return self.sent()

    def open(self, option: Option | None = None) -> "Stage":
        request = self.sent()[-1]
        self.say(2, request.identifier, data=request.data)
        self.say(1, 50, option or mppe())
        assert self.encryption.stage is Encryption.ON
        return self


def test_it_starts_both_directions_before_it_is_decided() -> None:
    stage = Stage().open()
    receive = MppeDirection(KEYS.receive, 128, MppeMode.STATELESS)
    send = MppeDirection(KEYS.send, 128, MppeMode.STATELESS)
    assert stage.take() == [StartMppe(receive, send), RequireMppe(True), "decided"]
    assert stage.outbox.events == [MppeOpened(128, "stateless")]
    assert stage.encryption.decided


@pytest.mark.parametrize(("bits", "value"), [(40, 0x01000020), (56, 0x01000080)])
def test_short_keys(bits: int, value: int) -> None:
    stage = Stage(gateway(Method.MS_CHAP_V2, bits=(bits,))).open(mppe(value))
    start = stage.take()[0]
    assert start.send.start_key.reveal() == KEYS.send.reveal()[:8]
    assert start.receive.bits == bits


@pytest.mark.parametrize(
    ("config", "keys", "told", "spoken"),
    [
        (GATEWAY, None, [(MISMATCH, False)], False),
        (PREFER, None, ["decided"], False),
        (OFF, None, ["decided"], False),
        (OFF, KEYS, ["decided"], False),
        (PREFER, KEYS, [], True),
        (GATEWAY, KEYS, [], True),
    ],
)
def test_the_beginning(config: LinkConfig, keys: MppeKeyPair | None, told: list[Any], spoken: bool) -> None:
    stage = Stage(config, keys)
    assert stage.take() == told
    assert stage.encryption.spoken is spoken
    assert bool(stage.sent()) is spoken


@pytest.mark.parametrize(("config", "told"), [(GATEWAY, [(MISMATCH, False)]), (PREFER, ["decided"])])
@pytest.mark.parametrize("what", ["reject", "protocol-reject", "nak", "terminate", "silence"])
def test_a_peer_that_will_not_encrypt(config: LinkConfig, told: list[Any], what: str) -> None:
    stage = Stage(config)
    request = stage.sent()[0]
    if what == "reject":
        stage.say(4, request.identifier, mppe())
    elif what == "nak":
        stage.say(3, request.identifier, mppe(0x00000001))
    elif what == "protocol-reject":
        stage.encryption.rejected_by_peer(0.0)
        assert stage.sent() == []
    elif what == "terminate":
        stage.say(5, 9)
    else:
        while not stage.told and (deadline := stage.encryption.deadline) is not None:
            stage.encryption.handle_timer(deadline)
    assert stage.take() == told


def test_ccp_that_opens_empty_is_no_encryption() -> None:
    """Naks for MPPE up to Max-Failure, then the empty request is acknowledged: that is a decision as well."""
    stage = Stage(PREFER)
    request = stage.sent()[0]
    stage.say(2, request.identifier, data=request.data)
    codes = [stage.say(1, number)[0].code for number in range(PREFER.restart.max_failure + 1)]
    assert codes == [Code.CONFIGURE_NAK] * PREFER.restart.max_failure + [Code.CONFIGURE_ACK]
    assert stage.take() == ["decided"]
    assert stage.encryption.stage is Encryption.NONE


@pytest.mark.parametrize(
    ("was_open", "data", "told"),
    [
        (False, b"", (MISMATCH, False)),
        (True, b"", (DisconnectReason.USER_REQUEST, True)),
        (True, b"magi\x00\x3c\xcd\x74\x00\x00\x02\xdc", (DisconnectReason.NEGOTIATION_FAILED, True)),
    ],
)
def test_a_peer_that_closes_ccp_later(was_open: bool, data: bytes, told: tuple[DisconnectReason, bool]) -> None:
    stage = Stage(PREFER).open()
    stage.was_open = was_open
    stage.take()
    stage.say(5, 9, data=data)
    assert stage.take() == ["interrupted", StopMppe(), told]


def test_renegotiation_starts_the_same_keys_over() -> None:
    stage = Stage().open()
    first = stage.take()
    answers = stage.say(1, 51, mppe())
    assert stage.take() == ["interrupted", StopMppe()]
    stage.say(2, answers[0].identifier, data=answers[0].data)
    assert stage.take() == first
    assert stage.outbox.events[-1] == MppeRekeyed("CCP opened again")


def test_stateful_desync_asks_for_a_reset() -> None:
    stage = Stage(STATEFUL).open(mppe(0x40))
    stage.encryption.desync(1.0)
    stage.encryption.desync(1.1)
    assert [packet.code for packet in stage.sent()] == [Code.RESET_REQUEST]
    assert stage.outbox.events[1:] == [MppeRekeyed("we asked the peer for a reset")]


def test_stateless_desync_asks_for_new_keys_once_in_a_while() -> None:
    stage = Stage().open()
    stage.take()
    stage.encryption.desync(1.0)
    assert [packet.code for packet in stage.sent()] == [Code.CONFIGURE_REQUEST]
    stage.encryption.desync(1.0)
    assert stage.take() == ["interrupted", StopMppe()], "nothing more while it is negotiated"
    stage.encryption.handle_timer(4.0)
    stage.open()
    stage.take()
    stage.encryption.desync(1.0 + RENEWAL_INTERVAL)
    assert stage.take() == ["interrupted", StopMppe()]
    stage.encryption.handle_timer(100.0)
    stage.open()
    stage.take()
    stage.encryption.desync(2.0 + RENEWAL_INTERVAL)
    assert stage.take() == [(MISMATCH, False)]


def test_reset_requests_are_all_answered_and_told_now_and_then() -> None:
    stage = Stage(STATEFUL).open(mppe(0x40))
    stage.take()
    for number in range(5):
        assert stage.say(Code.RESET_REQUEST, number, now=0.01 * number) == [Packet(Code.RESET_ACK, number)]
    assert stage.take() == [ResetMppeSend()] * 5
    assert stage.outbox.events[1:] == [MppeRekeyed("the peer asked for a reset")]


def test_stop_forgets_the_keys() -> None:
    stage = Stage().open()
    stage.encryption.stop(1.0)
    assert stage.encryption.snapshot()["keys"] is None
    assert stage.encryption.deadline is None
    assert stage.take()[-2:] == ["interrupted", StopMppe()]


def test_no_way_back_to_clear_with_a_second_sign_in() -> None:
    stage = Stage(PREFER).open()
    stage.encryption.stop(1.0)
    stage.take()
    stage.encryption.start(None, 1.0)
    assert stage.take() == [(MISMATCH, False)]


def test_snapshot() -> None:
    stage, other = Stage(PREFER).open(), Stage(PREFER)
    other.encryption.restore(stage.encryption.snapshot())
    assert other.encryption.snapshot() == stage.encryption.snapshot()
    assert other.encryption.status() == {"mppe": "on", "mppe_bits": 128, "mppe_mode": "stateless"}
