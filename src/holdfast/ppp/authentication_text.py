"""Authentication packets as text for people, without anything secret: for traces and the capture analyser."""

from holdfast.ppp.authentication_packets import (
    AUTHENTICATE_REQUEST,
    CHALLENGE,
    FAILURE,
    RESPONSE,
    SUCCESS,
    SUCCESS_SIZE,
    parse_failure,
    parse_message,
    parse_request,
    parse_value,
)
from holdfast.ppp.eap_types import describe_eap
from holdfast.ppp.framing import Protocol
from holdfast.wire.text import printable


def describe_authentication(protocol: int, code: int, data: bytes) -> str:
    """Return what the data of a packet says; "" when it says nothing fit to print. Values are given by size only."""
    if protocol == Protocol.PAP:
        return _describe_pap(code, data)
    if protocol == Protocol.CHAP:
        return _describe_chap(code, data)
    return describe_eap(code, data)


def _describe_pap(code: int, data: bytes) -> str:
    if code != AUTHENTICATE_REQUEST:
        return _labelled("message", parse_message(data))
    request = parse_request(data)
    return "malformed" if request is None else _labelled("user", printable(request.peer_id))


def _describe_chap(code: int, data: bytes) -> str:
    if code in {CHALLENGE, RESPONSE}:
        value = parse_value(data)
        if value is None:
            return "malformed"
        return f"value={len(value.value)} octets {_labelled('name', printable(value.name[:256]))}".rstrip()
    if code == SUCCESS:
        message = data[SUCCESS_SIZE:].removeprefix(b" M=") if data.startswith(b"S=") else data
        return _labelled("message", printable(message[:256]))
    return _describe_failure(data) if code == FAILURE else f"{len(data)} octets"


def _describe_failure(data: bytes) -> str:
    failure = parse_failure(data)
    if not failure.error:
        return _labelled("message", printable(data[:256]))
    return f"E={failure.error} R={failure.retry:d} V={failure.version} {_labelled('M', failure.message)}".rstrip()


def _labelled(label: str, text: str) -> str:
    return f"{label}={text}" if text else ""
