"""The fifteen messages against the figures of the RFC."""

from dataclasses import asdict, fields

import pytest

from holdfast.control import messages
from holdfast.control.codes import ControlMessageType
from holdfast.control.messages import (
    MESSAGES,
    CallDisconnectNotify,
    ControlMessage,
    EchoReply,
    EchoRequest,
    OutgoingCallReply,
    StartControlConnectionRequest,
    StopControlConnectionRequest,
    decode,
    message_class,
)
from holdfast.wire.errors import MalformedError
from support.control_vectors import MessageVector, message_vectors

VECTORS = message_vectors()
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)


def class_of(vector: MessageVector) -> type[ControlMessage]:
    return next(cls for cls in MESSAGES if cls.name == vector.name)


def test_there_is_a_vector_for_each_message() -> None:
    assert [vector.name for vector in VECTORS] == [cls.name for cls in MESSAGES]
    assert [cls.type for cls in MESSAGES] == list(ControlMessageType)


@each_vector
def test_encode(vector: MessageVector) -> None:
    assert class_of(vector)(**vector.fields).encode() == vector.octets


@each_vector
def test_decode(vector: MessageVector) -> None:
    message = decode(vector.octets)
    assert type(message) is class_of(vector)
    assert asdict(message) == vector.fields


@each_vector
def test_size(vector: MessageVector) -> None:
    assert class_of(vector).size() == len(vector.octets) == vector.size


@each_vector
def test_reserved_octets_are_ignored(vector: MessageVector) -> None:
    octets = bytearray(vector.octets)
    for offset in vector.reserved:
        octets[offset] = 0xFF
    assert decode(bytes(octets)) == decode(vector.octets)


@each_vector
def test_no_other_octet_is_ignored(vector: MessageVector) -> None:
    """Octets after the end of a text apart, which are of no meaning."""
    for offset in range(12, len(vector.octets)):
        if offset not in vector.reserved and vector.octets[offset - 1 : offset + 1] != b"\0\0":
            octets = bytearray(vector.octets)
            octets[offset] ^= 0x41
            assert decode(bytes(octets)) != decode(vector.octets), offset


@each_vector
def test_text_for_people_names_every_field(vector: MessageVector) -> None:
    text = decode(vector.octets).fields_text()
    assert [part.name for part in fields(class_of(vector)) if f"{part.name}=" not in text] == []


def test_codes_are_read_out() -> None:
    assert "reason=3 (Stop-Local-Shutdown" in StopControlConnectionRequest(3).fields_text()
    assert "result_code=200 (unregistered)" in EchoReply(1, 200, 0).fields_text()
    assert "protocol_version=1.0" in StartControlConnectionRequest(0x0100, 3, 3, 0, 1, "", "").fields_text()
    assert "receive_accm=0xffffffff" in messages.SetLinkInfo(1, 0, 0xFFFFFFFF).fields_text()


def test_unregistered_codes_survive() -> None:
    reply = OutgoingCallReply(1, 2, 99, 77, 12345, 0, 0, 0, 0)
    assert decode(reply.encode()) == reply


@pytest.mark.parametrize(
    ("offset", "octet", "words"),
    [(0, 1, "length"), (1, 0x11, "length"), (3, 2, "Type 2"), (4, 0, "magic cookie"), (7, 0, "magic cookie")],
)
def test_bad_headers(offset: int, octet: int, words: str) -> None:
    octets = bytearray(EchoRequest(1).encode())
    octets[offset] = octet
    with pytest.raises(MalformedError, match=words):
        decode(bytes(octets))


@pytest.mark.parametrize("control_message_type", [0, 16, 0xFFFF])
def test_types_that_are_not_defined(control_message_type: int) -> None:
    octets = bytearray(EchoRequest(1).encode())
    octets[8:10] = control_message_type.to_bytes(2, "big")
    with pytest.raises(MalformedError, match="Control Message Type"):
        decode(bytes(octets))
    assert message_class(control_message_type) is None


def test_right_length_of_another_message() -> None:
    octets = bytearray(EchoRequest(1).encode())
    octets[8:10] = ControlMessageType.ECHO_REPLY.to_bytes(2, "big")
    with pytest.raises(MalformedError, match="4 octets where 8 are due"):
        decode(bytes(octets))


@pytest.mark.parametrize("size", range(12))
def test_less_than_a_header(size: int) -> None:
    with pytest.raises(MalformedError, match="too few"):
        decode(EchoRequest(1).encode()[:size])


def test_a_number_too_large_for_its_field() -> None:
    with pytest.raises(ValueError, match="CallDisconnectNotify"):
        CallDisconnectNotify(65536, 4, 0, 0, "").encode()


def test_a_name_too_long_is_cut() -> None:
    request = StartControlConnectionRequest(0x0100, 3, 3, 0, 1, "h" * 100, "ü" * 40)
    assert len(request.encode()) == 156
    read = decode(request.encode())
    assert isinstance(read, StartControlConnectionRequest)
    assert (read.host_name, read.vendor_string) == ("h" * 64, "ü" * 32)
