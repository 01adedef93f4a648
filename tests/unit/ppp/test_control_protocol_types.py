"""Judgements harden, and the outbox does not fill a log."""

from holdfast.events import Direction, PppPacketSeen, PppViolation
from holdfast.ppp.control_protocol_types import MAX_VIOLATIONS, Judgement, Outbox
from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet


def test_a_hardened_judgement_only_rejects() -> None:
    offered, better = Option(1, b"\0\1"), Option(1, b"\0\x80")
    judgement = Judgement(rejected=[Option(9)], refused=[(offered, better)], wanted=[Option(5)])
    assert not judgement.acceptable
    judgement.harden()
    assert (judgement.rejected, judgement.refused, judgement.wanted) == ([Option(9), offered], [], [])


def test_a_judgement_without_anything_is_acceptable() -> None:
    judgement = Judgement(wanted=[Option(3)])
    assert not judgement.acceptable
    judgement.harden()
    assert judgement.acceptable


def test_violations_are_told_up_to_a_limit() -> None:
    outbox = Outbox()
    for _ in range(MAX_VIOLATIONS * 3):
        outbox.violation(Protocol.LCP, "wrong")
    assert outbox.events == [PppViolation("LCP", "wrong")] * MAX_VIOLATIONS


def test_send_frames_and_traces() -> None:
    outbox = Outbox(trace=True)
    outbox.send(Protocol.CCP, Packet(14, 7))
    assert outbox.frames == [bytes.fromhex("80fd0e070004")]
    assert outbox.events == [PppPacketSeen(Direction.SENT, "CCP", "Reset-Request", 7, "")]
