"""The order of the Network phase: encryption, then the address, then traffic."""

from random import Random
from typing import Any

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import IpOpened, MppeOpened, MppeRekeyed, PppViolation
from holdfast.ppp.authentication import Method
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import (
    AddressRefusal,
    AssignAddress,
    CloseNetwork,
    OpenNetwork,
    RequireMppe,
    ResetMppeSend,
    StartMppe,
    StopMppe,
)
from holdfast.ppp.config import LinkConfig, MppeMode, MppePolicy
from holdfast.ppp.control_protocol_types import Outbox
from holdfast.ppp.framing import Protocol
from holdfast.ppp.ipcp import address_octets
from holdfast.ppp.link_network import MAX_HELD, WISH_PATIENCE, LinkNetwork
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet, parse
from holdfast.secret import Secret
from holdfast.wire.tlv import write_options
from support.ppp import ADDRESSES, DIALER, GATEWAY, USER, gateway

KEYS = MppeKeyPair(Secret(Random(1).randbytes(16)), Secret(Random(2).randbytes(16)))
MPPE = Option(18, b"\x01\0\0\x40")
PREFER = gateway(Method.MS_CHAP_V2, policy=MppePolicy.PREFER)
OFF = gateway(Method.MS_CHAP_V2, policy=MppePolicy.OFF)
CCP, IPCP = Protocol.CCP, Protocol.IPCP


def address(text: str) -> Option:
    return Option(3, address_octets(text))


class Stage:
    """The Network phase alone; plays the link above it."""

    def __init__(self, config: LinkConfig = GATEWAY, keys: MppeKeyPair | None = KEYS, mppe: Option = MPPE) -> None:
        self.mppe = mppe
        self.outbox = Outbox()
        self.config = config
        self.ends: list[tuple[DisconnectReason, str, bool]] = []
        self.commands: list[Any] = []
        self.network = LinkNetwork(config, self, self.outbox)
        self.network.start(USER, keys, 0.0)

    def command(self, command: Any) -> None:
        self.commands.append(command)

    def end(
        self, reason: DisconnectReason, evidence: str, _now: float, *, by_peer: bool = False, text: str = ""
    ) -> None:
        assert not text
        self.ends.append((reason, evidence, by_peer))

    def take(self, protocol: int) -> list[Packet]:
        """Return what was sent in this protocol since the last call."""
        head = protocol.to_bytes(2)
        taken = [frame[2:] for frame in self.outbox.frames if frame.startswith(head)]
        self.outbox.frames = [frame for frame in self.outbox.frames if not frame.startswith(head)]
        return [parse(information) for information in taken]

    def say(self, protocol: int, code: int, identifier: int, *options: Option, data: bytes = b"") -> list[Packet]:
        packet = Packet(code, identifier, write_options(options) + data)
        self.network.receive(protocol, packet.encode(), 0.0)
        return self.take(protocol)

    def agree(self, protocol: int) -> None:
        """Acknowledge the latest request, and ask for what will be granted."""
        self.acknowledge(protocol)
        self.say(protocol, 1, 60, self.mppe if protocol == CCP else address("10.77.0.10"))

    def acknowledge(self, protocol: int) -> None:
        request = [packet for packet in self.take(protocol) if packet.code == 1][-1]
        self.say(protocol, 2, request.identifier, data=request.data)

    def up(self) -> "Stage":
        self.agree(CCP)
        self.say(IPCP, 1, 59, address("0.0.0.0"))
        self.network.address_assigned(ADDRESSES, 0.0)
        self.agree(IPCP)
        assert self.commands[-1] == OpenNetwork("10.77.0.1", "10.77.0.10")
        return self


def test_the_order_of_everything() -> None:
    stage = Stage().up()
    assert [type(command) for command in stage.commands] == [StartMppe, RequireMppe, AssignAddress, OpenNetwork]
    assert [type(event) for event in stage.outbox.events] == [MppeOpened, IpOpened]
    start = stage.commands[0]
    assert (start.receive.start_key, start.send.start_key) == (KEYS.receive, KEYS.send)
    assert stage.network.status() == {
        "mppe": "on", "mppe_bits": 128, "mppe_mode": "stateless",
        "local_address": "10.77.0.1", "peer_address": "10.77.0.10",
        "dns": ["10.77.0.53", "10.77.0.54"], "wins": ["10.77.0.137"], "network_open": True,
    }  # fmt: skip


def test_ipcp_before_encryption_is_held_and_then_taken() -> None:
    stage = Stage()
    assert stage.say(IPCP, 1, 5, address("10.77.0.99")) == []
    assert stage.say(IPCP, 1, 6, address("10.77.0.88")) == []
    assert not any(isinstance(command, AssignAddress) for command in stage.commands)
    stage.agree(CCP)
    assert stage.commands[-1] == AssignAddress(USER, "10.77.0.88")
    stage.network.address_assigned(ADDRESSES, 0.0)
    answers = stage.take(IPCP)
    assert [(packet.code, packet.identifier) for packet in answers] == [
        (Code.CONFIGURE_REQUEST, 1),
        (Code.CONFIGURE_NAK, 6),
    ]


@pytest.mark.parametrize("information", [b"", b"\5\1\0\4", bytes((1,)) + bytes(MAX_HELD)])
def test_only_a_small_configure_request_is_held(information: bytes) -> None:
    stage = Stage()
    stage.network.receive(IPCP, information, 0.0)
    assert stage.network.snapshot()["held"] == b""


def test_a_held_packet_that_is_garbage_asks_for_any_address() -> None:
    stage = Stage()
    stage.network.receive(IPCP, b"\1\1\0\6\3\0", 0.0)
    stage.agree(CCP)
    assert stage.commands[-1] == AssignAddress(USER, None)


def test_a_client_that_does_not_ask_gets_an_address_all_the_same() -> None:
    stage = Stage(OFF)
    assert stage.commands == []
    assert stage.network.deadline == WISH_PATIENCE
    stage.network.handle_timer(WISH_PATIENCE)
    assert stage.commands == [AssignAddress(USER, None)]
    assert stage.network.deadline is None


def test_no_address() -> None:
    stage = Stage(OFF)
    stage.say(IPCP, 1, 5, address("0.0.0.0"))
    stage.network.address_assigned(AddressRefusal("the pool is empty"), 0.0)
    assert stage.ends == [(DisconnectReason.NO_ADDRESS, "the pool is empty", False)]


def test_an_unasked_assignment_is_ignored() -> None:
    stage = Stage()
    stage.network.address_assigned(ADDRESSES, 0.0)
    assert stage.take(IPCP) == []


@pytest.mark.parametrize("bits", [40, 56])
def test_keys_of_another_strength_do_not_serve(bits: int) -> None:
    """After MS-CHAPv1 without LAN Manager hash there are keys of 128 bits only."""
    keys = MppeKeyPair(KEYS.send, KEYS.receive, Secret(b""))
    stage = Stage(gateway(Method.MS_CHAP, bits=(bits,)), keys)
    assert stage.ends[0][0] is DisconnectReason.ENCRYPTION_MISMATCH


def test_prefer_without_keys_starts_with_addresses() -> None:
    stage = Stage(PREFER, None)
    assert not stage.network.knows(CCP)
    stage.say(IPCP, 1, 5, address("0.0.0.0"))
    assert stage.commands == [AssignAddress(USER, None)]


def test_prefer_and_a_peer_that_rejects_ccp() -> None:
    stage = Stage(PREFER)
    stage.take(CCP)
    stage.say(IPCP, 1, 5, address("0.0.0.0"))
    assert stage.commands == []
    stage.network.protocol_rejected(CCP, 0.0)
    assert stage.commands == [AssignAddress(USER, None)]
    assert stage.take(CCP) == [], "nothing more of a protocol that was rejected"
    assert stage.ends == []


def test_prefer_and_a_peer_that_refuses_mppe() -> None:
    stage = Stage(PREFER)
    request = stage.take(CCP)[0]
    assert [packet.code for packet in stage.say(CCP, 4, request.identifier, *request.options())] == [
        Code.TERMINATE_REQUEST
    ]
    assert stage.network.deadline is not None
    assert stage.network.status()["mppe"] == "none"
    assert stage.say(CCP, 1, 7, MPPE) == [], "no second thoughts once it was decided"


def test_prefer_and_a_peer_that_is_silent_about_ccp() -> None:
    stage = Stage(PREFER)
    stage.say(IPCP, 1, 5, address("0.0.0.0"))
    stage.network.handle_timer(PREFER.ccp.patience)
    assert stage.commands == [AssignAddress(USER, None)]


def test_what_was_encrypted_never_goes_back_to_clear() -> None:
    stage = Stage(PREFER).up()
    assert RequireMppe(True) in stage.commands
    stage.say(CCP, 5, 9, data=b"no more")
    assert stage.ends[0][0] is DisconnectReason.USER_REQUEST
    assert stage.ends[0][2], "the peer did it"
    assert stage.commands[-2:] == [CloseNetwork(), StopMppe()]


@pytest.mark.parametrize("what", ["reject", "protocol-reject", "terminate", "silence"])
def test_require_ends_with_an_encryption_mismatch(what: str) -> None:
    stage = Stage()
    request = stage.take(CCP)[0]
    if what == "reject":
        stage.say(CCP, 4, request.identifier, *request.options())
    elif what == "protocol-reject":
        stage.network.protocol_rejected(CCP, 0.0)
    elif what == "terminate":
        stage.say(CCP, 5, 9)
    else:
        while (deadline := stage.network.deadline) is not None:
            stage.network.handle_timer(deadline)
    assert [end[0] for end in stage.ends] == [DisconnectReason.ENCRYPTION_MISMATCH]
    assert stage.commands == []


def test_new_keys_when_ccp_is_negotiated_again() -> None:
    stage = Stage().up()
    before = len(stage.commands)
    answers = stage.say(CCP, 1, 80, MPPE)
    assert stage.commands[before:] == [CloseNetwork(), StopMppe()]
    stage.say(CCP, 2, answers[0].identifier, data=answers[0].data)
    after = stage.commands[before + 2 :]
    assert [type(command) for command in after] == [StartMppe, RequireMppe, OpenNetwork]
    assert after[0] == stage.commands[0], "the keys start over"
    assert stage.outbox.events[-1] == MppeRekeyed("CCP opened again")
    assert stage.network.status()["network_open"]


def test_resets() -> None:
    stage = Stage(gateway(Method.MS_CHAP_V2, modes=(MppeMode.STATEFUL,)), mppe=Option(18, b"\0\0\0\x40")).up()
    assert [packet.code for packet in stage.say(CCP, Code.RESET_REQUEST, 5)] == [Code.RESET_ACK]
    stage.say(CCP, Code.RESET_REQUEST, 6)
    assert stage.commands[-2:] == [ResetMppeSend(), ResetMppeSend()]
    stage.network.mppe_desync(1.0)
    assert [packet.code for packet in stage.take(CCP)] == [Code.RESET_REQUEST]
    causes = [event.cause for event in stage.outbox.events if isinstance(event, MppeRekeyed)]
    assert causes == ["the peer asked for a reset", "we asked the peer for a reset"]


def test_a_desync_before_encryption_is_nothing() -> None:
    stage = Stage()
    stage.take(CCP)
    stage.network.mppe_desync(1.0)
    assert stage.take(CCP) == []


@pytest.mark.parametrize("kind", ["silence", "terminate", "protocol-reject"])
def test_no_ipcp_no_link(kind: str) -> None:
    stage = Stage(OFF)
    stage.say(IPCP, 1, 5, address("0.0.0.0"))
    stage.network.address_assigned(ADDRESSES, 0.0)
    if kind == "terminate":
        stage.say(IPCP, 5, 9)
    elif kind == "protocol-reject":
        stage.network.protocol_rejected(IPCP, 0.0)
    else:
        while (deadline := stage.network.deadline) is not None:
            stage.network.handle_timer(deadline)
    assert stage.ends[0][0] is DisconnectReason.NEGOTIATION_FAILED


def test_a_closed_ipcp_on_a_link_that_was_up_is_a_goodbye() -> None:
    stage = Stage().up()
    stage.say(IPCP, 5, 9)
    assert stage.ends[0][0] is DisconnectReason.USER_REQUEST
    assert stage.commands[-1] == CloseNetwork()


def test_rejected_data_is_told() -> None:
    stage = Stage().up()
    stage.network.protocol_rejected(Protocol.COMPRESSED, 0.0)
    assert isinstance(stage.outbox.events[-1], PppViolation)
    assert stage.ends == []


def test_another_user_on_the_same_link_is_refused() -> None:
    stage = Stage().up()
    stage.network.stop(1.0)
    stage.network.start("mallory", KEYS, 1.0)
    assert stage.ends[0][0] is DisconnectReason.PROTOCOL_FAILURE


def test_the_same_user_again_keeps_the_address() -> None:
    stage = Stage().up()
    before = len(stage.commands)
    stage.network.stop(1.0)
    assert stage.commands[before:] == [CloseNetwork(), StopMppe()]
    stage.take(CCP)
    stage.take(IPCP)
    stage.network.start(USER, KEYS, 1.0)
    stage.agree(CCP)
    stage.agree(IPCP)
    after = stage.commands[before + 2 :]
    assert [type(command) for command in after] == [StartMppe, RequireMppe, OpenNetwork]


@pytest.mark.parametrize(("config", "knows"), [(GATEWAY, True), (OFF, False), (DIALER, True)])
def test_what_is_spoken(config: LinkConfig, knows: bool) -> None:
    network = Stage(config).network
    assert network.knows(CCP) is knows
    assert network.knows(IPCP)
    assert network.knows(Protocol.IP)
    assert not network.knows(Protocol.IPV6CP)
    assert not network.knows(Protocol.IPV6)


@pytest.mark.parametrize("answered", ["before", "during", "after"])
def test_an_address_that_is_chosen_while_lcp_starts_over(answered: str) -> None:
    """The answer to the one question may come at any time; nobody is asked twice."""
    stage = Stage()
    stage.agree(CCP)
    stage.say(IPCP, 1, 59, address("0.0.0.0"))
    if answered == "before":
        stage.network.address_assigned(ADDRESSES, 0.0)
    stage.network.stop(1.0)
    stage.take(CCP)
    stage.take(IPCP)
    stage.network.start(USER, KEYS, 1.0)
    if answered == "during":
        stage.network.address_assigned(ADDRESSES, 1.0)
    assert stage.take(IPCP) == []
    stage.agree(CCP)
    if answered == "after":
        stage.network.address_assigned(ADDRESSES, 2.0)
    stage.agree(IPCP)
    assert stage.commands[-1] == OpenNetwork("10.77.0.1", "10.77.0.10")
    assert sum(isinstance(command, AssignAddress) for command in stage.commands) == 1
