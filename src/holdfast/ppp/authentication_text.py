"""Authentication packets as text for people, without anything secret: for traces and the capture analyser."""

from holdfast.ppp.authentication_types import PROTOCOLS, Method, printable_name
from holdfast.ppp.chap import CHALLENGE, FAILURE, RESPONSE, SUCCESS, parse_value
from holdfast.ppp.mschap import CHANGE_PASSWORD, SUCCESS_SIZE, parse_failure
from holdfast.ppp.pap import AUTHENTICATE_ACK, AUTHENTICATE_NAK, AUTHENTICATE_REQUEST, parse_message, parse_request

_NAMES: dict[int, dict[int, str]] = {
    PROTOCOLS[Method.PAP]: {
        AUTHENTICATE_REQUEST: "Authenticate-Request",
        AUTHENTICATE_ACK: "Authenticate-Ack",
        AUTHENTICATE_NAK: "Authenticate-Nak",
    },
    PROTOCOLS[Method.CHAP_MD5]: {
        CHALLENGE: "Challenge",
        RESPONSE: "Response",
        SUCCESS: "Success",
        FAILURE: "Failure",
        **CHANGE_PASSWORD,
    },
    PROTOCOLS[Method.EAP]: {1: "Request", 2: "Response", 3: "Success", 4: "Failure"},
}


def authentication_code_name(protocol: int, code: int) -> str:
    """Return the name of a code of PAP (c023), CHAP (c223) or EAP (c227), as the RFCs spell it."""
    return _NAMES.get(protocol, {}).get(code, f"code {code}")


def describe_authentication(protocol: int, code: int, data: bytes) -> str:
    """Return what the data of a packet says; "" when it says nothing fit to print. Values are given by size only."""
    if protocol == PROTOCOLS[Method.PAP]:
        return _describe_pap(code, data)
    if protocol == PROTOCOLS[Method.CHAP_MD5]:
        return _describe_chap(code, data)
    return f"{len(data)} octets"


def _describe_pap(code: int, data: bytes) -> str:
    if code != AUTHENTICATE_REQUEST:
        return _labelled("message", parse_message(data))
    request = parse_request(data)
    return "malformed" if request is None else _labelled("user", printable_name(request.peer_id))


def _describe_chap(code: int, data: bytes) -> str:
    if code in {CHALLENGE, RESPONSE}:
        value = parse_value(data)
        if value is None:
            return "malformed"
        return f"value={len(value.value)} octets {_labelled('name', printable_name(value.name[:256]))}".rstrip()
    if code == SUCCESS:
        message = data[SUCCESS_SIZE:].removeprefix(b" M=") if data.startswith(b"S=") else data
        return _labelled("message", printable_name(message[:256]))
    return _describe_failure(data) if code == FAILURE else f"{len(data)} octets"


def _describe_failure(data: bytes) -> str:
    failure = parse_failure(data)
    if not failure.error:
        return _labelled("message", printable_name(data[:256]))
    return f"E={failure.error} R={failure.retry:d} V={failure.version} {_labelled('M', failure.message)}".rstrip()


def _labelled(label: str, text: str) -> str:
    return f"{label}={text}" if text else ""
