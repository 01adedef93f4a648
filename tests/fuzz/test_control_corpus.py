"""Replays the seeds in `corpus/control`: octets of a TCP stream that once were, or may become, trouble.

A seed is the raw octets that a peer sends. Each is fed to both roles, at once and octet by octet; nothing may raise,
both must end alike, and silence must end what is left. A seed that a fuzzer finds is added as a file and stays.
"""

from pathlib import Path

import pytest

from holdfast.control.commands import AnswerCall
from holdfast.control.config import ControlConfig
from holdfast.control.connection import ConnectionMachine, Role
from holdfast.control.messages import MESSAGES, ControlMessage
from holdfast.control.stream import MAX_MESSAGE_SIZE, MessageStream

CORPUS = Path(__file__).parent / "corpus" / "control"
SEEDS = sorted(path.name for path in CORPUS.iterdir())


def seed(name: str) -> bytes:
    return (CORPUS / name).read_bytes()


def play(role: Role, octets: bytes, size: int) -> ConnectionMachine:
    """Feed the octets in pieces to a machine whose owner accepts every call."""
    machine = ConnectionMachine(role, ControlConfig(accept_incoming_calls=True))
    machine.accepted(0.0)
    for offset in range(0, len(octets), size):
        machine.receive(octets[offset : offset + size], 0.0)
        for command in machine.commands():
            if isinstance(command, AnswerCall):
                machine.accept_call(command.peer_call_id, 1000 + command.peer_call_id % 1000, 0.0)
    return machine


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", SEEDS)
def test_replay(name: str, role: Role) -> None:
    at_once, slowly = play(role, seed(name), 1 << 16), play(role, seed(name), 1)
    assert at_once.state is slowly.state
    for machine in (at_once, slowly):
        for _ in range(100):
            if (deadline := machine.deadline) is None:
                break
            machine.handle_timer(deadline)
        assert machine.closed


@pytest.mark.parametrize("name", SEEDS)
def test_listen(name: str) -> None:
    stream = MessageStream(passive=True)
    for octet in seed(name):
        stream.feed(bytes([octet]))
        assert stream.pending <= MAX_MESSAGE_SIZE


def test_the_corpus_knows_every_message() -> None:
    known: set[type] = set()
    for name in SEEDS:
        known |= {type(item) for item in MessageStream(passive=True).feed(seed(name))}
    assert {cls for cls in MESSAGES if cls not in known} == set()
    assert ControlMessage not in known
