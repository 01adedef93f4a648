"""Packets of a control protocol against RFC 1661 section 5, with LCP's simplest options as the example."""

from dataclasses import replace

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import InternalFault, PppPacketSeen, PppViolation
from holdfast.ppp.automaton import Event, State
from holdfast.ppp.codes import Code
from holdfast.ppp.config import LcpConfig
from holdfast.ppp.control_protocol import MAX_REJECTED_PACKET
from holdfast.ppp.control_protocol_types import Outbox
from holdfast.ppp.lcp import Lcp
from holdfast.ppp.lcp_rules import LcpRules
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet
from support.ppp_protocol import RESTART, Recorder, Talk, lcp

MRU = Option(1, b"\x05\xdc")
CALLBACK = Option(13, b"\x06")


def violations(talk: Talk) -> list[str]:
    return [event.detail for event in talk.outbox.events if isinstance(event, PppViolation)]


def test_both_acknowledge_and_it_opens() -> None:
    talk = lcp()
    request = talk.sent[0]
    assert request.code == Code.CONFIGURE_REQUEST
    assert talk.agree() == []
    assert talk.protocol.state is State.ACK_RCVD
    assert talk.say(1, 9, MRU) == [Packet(Code.CONFIGURE_ACK, 9, b"\x01\x04\x05\xdc")]
    assert talk.layer.take() == [("up", None)]


def test_a_retransmission_is_the_same_packet() -> None:
    talk = lcp()
    assert talk.wait(3.0) == talk.sent
    assert talk.wait(3.0) == talk.sent


def test_it_gives_up_after_max_configure() -> None:
    talk = lcp()
    assert len(talk.wait(100.0)) == RESTART.max_configure - 1
    assert talk.layer.take() == [("finished", None)]
    assert talk.protocol.deadline is None


def test_a_new_request_has_a_new_identifier() -> None:
    talk = lcp()
    first = talk.sent[0]
    second = talk.say(Code.CONFIGURE_REJECT, first.identifier, Option(7))[0]
    assert second.code == Code.CONFIGURE_REQUEST
    assert second.identifier != first.identifier
    assert Option(7) not in second.options()


@pytest.mark.parametrize("code", [Code.CONFIGURE_ACK, Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT])
def test_a_reply_with_another_identifier_is_discarded(code: Code) -> None:
    talk = lcp()
    assert talk.say(code, talk.sent[0].identifier + 1, data=talk.sent[0].data) == []
    assert talk.protocol.state is State.REQ_SENT


def test_a_second_reply_to_one_request_is_discarded() -> None:
    talk = lcp()
    talk.agree()
    assert talk.agree() == []
    assert talk.protocol.state is State.ACK_RCVD


def test_a_changed_ack_is_discarded_and_told() -> None:
    talk = lcp()
    assert talk.say(Code.CONFIGURE_ACK, talk.sent[0].identifier, MRU) == []
    assert talk.protocol.state is State.REQ_SENT
    assert len(violations(talk)) == 1


@pytest.mark.parametrize("options", [(), (CALLBACK,), (Option(1, b"\x01\x02"),)])
def test_a_reject_of_what_was_not_asked_is_discarded(options: tuple[Option, ...]) -> None:
    talk = lcp()
    assert talk.say(Code.CONFIGURE_REJECT, talk.sent[0].identifier, *options) == []
    assert talk.protocol.state is State.REQ_SENT
    assert len(violations(talk)) == 1


@pytest.mark.parametrize("code", [1, 2, 3, 4])
@pytest.mark.parametrize("data", [b"\x01", b"\x01\x00", b"\x01\x01", b"\x01\x05\x05\xdc"])
def test_impossible_option_lengths_discard_the_packet(code: int, data: bytes) -> None:
    talk = lcp()
    assert talk.say(code, talk.sent[0].identifier, data=data) == []
    assert talk.protocol.state is State.REQ_SENT
    assert talk.outbox.events


def test_rejects_come_first_and_all_at_once() -> None:
    talk = lcp()
    zero_magic, unknown = Option(5, bytes(4)), Option(200, b"x")
    answer = talk.say(1, 7, CALLBACK, zero_magic, MRU, unknown)
    assert [(packet.code, packet.options()) for packet in answer] == [(Code.CONFIGURE_REJECT, [CALLBACK, unknown])]


def test_max_failure_turns_naks_into_rejects() -> None:
    talk = lcp()
    zero = Option(5, bytes(4))
    codes = [talk.say(1, number, zero)[0].code for number in range(RESTART.max_failure + 2)]
    assert codes == [Code.CONFIGURE_NAK] * RESTART.max_failure + [Code.CONFIGURE_REJECT] * 2


def test_a_peer_that_refuses_without_end_is_given_up() -> None:
    talk = lcp()
    sent = talk.sent
    for _ in range(RESTART.max_configure):
        sent = talk.say(Code.CONFIGURE_NAK, sent[-1].identifier, Option(1, b"\x05\x00"))
        assert len(sent) == 1
    assert talk.say(Code.CONFIGURE_NAK, sent[-1].identifier, Option(1, b"\x05\x00")) == []
    what, failure = talk.layer.take()[-1]
    assert what == "failed"
    assert failure.reason is DisconnectReason.NEGOTIATION_FAILED


def test_a_configure_request_restarts_an_open_protocol() -> None:
    talk = lcp().open()
    answers = talk.say(1, 8, MRU)
    assert [packet.code for packet in answers] == [Code.CONFIGURE_REQUEST, Code.CONFIGURE_ACK]
    assert talk.layer.take() == [("down", None)]
    talk.agree(answers[0])
    assert talk.layer.take() == [("up", None)]


def test_terminate_request_is_answered_and_lingers() -> None:
    talk = lcp().open()
    assert talk.say(Code.TERMINATE_REQUEST, 44, data=b"bye") == [Packet(Code.TERMINATE_ACK, 44)]
    assert talk.layer.take() == [("down", None), ("terminated", b"bye")]
    assert talk.say(Code.TERMINATE_REQUEST, 44, data=b"bye") == [Packet(Code.TERMINATE_ACK, 44)]
    talk.layer.take()
    assert talk.wait(RESTART.linger) == []
    assert talk.layer.take() == [("finished", None)]


def test_close_sends_its_text_and_repeats_it_unchanged() -> None:
    talk = lcp().open()
    talk.protocol.close(talk.now, "User request")
    first = talk.take()
    assert [(packet.code, packet.data) for packet in first] == [(Code.TERMINATE_REQUEST, b"User request")]
    assert talk.wait(3.0) == first
    assert talk.say(Code.TERMINATE_ACK, first[0].identifier) == []
    assert talk.layer.take() == [("down", None), ("finished", None)]


def test_a_closed_protocol_answers_a_request_with_terminate_ack() -> None:
    talk = lcp().open()
    talk.protocol.close(0.0)
    talk.say(Code.TERMINATE_ACK, talk.take()[0].identifier)
    assert talk.say(1, 9, MRU) == [Packet(Code.TERMINATE_ACK, 9)]


def test_unknown_codes_are_rejected_with_a_bounded_copy() -> None:
    talk = lcp()
    answer = talk.say(99, 3, data=bytes(1000))
    assert answer[0].code == Code.CODE_REJECT
    assert answer[0].data[:4] == bytes((99, 3)) + (1004).to_bytes(2)
    assert len(answer[0].data) == MAX_REJECTED_PACKET
    assert talk.say(99, 3)[0].identifier != answer[0].identifier


def test_code_reject_of_a_fundamental_code_is_fatal() -> None:
    talk = lcp()
    talk.say(Code.CODE_REJECT, 1, data=talk.sent[0].encode())
    told = talk.layer.take()
    assert told[0][0] == "failed"
    assert told[0][1].reason is DisconnectReason.PROTOCOL_FAILURE
    assert talk.protocol.state is State.STOPPED


@pytest.mark.parametrize("data", [b"", b"\x0c\x01\x00\x04"])
def test_code_reject_of_anything_else_is_harmless(data: bytes) -> None:
    talk = lcp().open()
    assert talk.say(Code.CODE_REJECT, 1, data=data) == []
    assert talk.protocol.opened
    assert talk.layer.take() == []


@pytest.mark.parametrize("information", [b"", b"\x01", b"\x01\x01\x00\x03", b"\x01\x01\x00\xff"])
def test_a_broken_packet_is_discarded_and_told(information: bytes) -> None:
    talk = lcp()
    talk.protocol.receive(information, 0.0)
    assert talk.take() == []
    assert len(violations(talk)) == 1


def test_nothing_is_answered_while_the_lower_layer_is_down() -> None:
    rules = LcpRules(LcpConfig(), (), (), bytes)
    outbox = Outbox()
    protocol = Lcp(RESTART, rules, Recorder(), outbox)
    protocol.receive(Packet(1, 1).encode(), 0.0)
    protocol.open(0.0)
    protocol.receive(Packet(5, 1).encode(), 0.0)
    assert (outbox.frames, outbox.events) == ([], [])


def test_an_impossible_event_is_told_and_changes_nothing() -> None:
    talk = lcp()
    talk.protocol._step(Event.UP, 0.0)
    assert [type(event) for event in talk.outbox.events] == [InternalFault]
    assert talk.protocol.state is State.REQ_SENT


def test_a_trace_is_made_only_when_asked() -> None:
    talk = lcp()
    talk.outbox.trace = True
    talk.agree()
    seen = [event for event in talk.outbox.events if isinstance(event, PppPacketSeen)]
    assert [(event.direction.value, event.protocol, event.code) for event in seen] == [
        ("received", "LCP", "Configure-Ack")
    ]
    assert seen[0].detail.startswith("mru=1400 magic=0x")


@pytest.mark.parametrize("stage", range(4))
def test_snapshot_at_every_stage(stage: int) -> None:
    """A protocol that is written down and read back goes on as if nothing had happened."""
    talk, copy = lcp(), lcp()
    acts = [lambda t: t.say(1, 5, Option(5, bytes(4))), lambda t: t.agree(), lambda t: t.say(1, 6, MRU)]
    for act in acts[:stage]:
        act(talk)
    copy.protocol.restore(talk.protocol.snapshot())
    for act in acts[stage:]:
        assert act(copy) == act(talk)
    assert copy.protocol.snapshot() == talk.protocol.snapshot()
    assert copy.protocol.opened


def test_configured_counts_are_used() -> None:
    config = replace(RESTART, max_configure=2, restart_timer=0.5)
    talk = Talk(lambda layer, outbox: Lcp(config, LcpRules(LcpConfig(), (), (), bytes), layer, outbox))
    assert len(talk.wait(0.5)) == 1
    assert talk.wait(0.5) == []
    assert talk.layer.take() == [("finished", None)]
