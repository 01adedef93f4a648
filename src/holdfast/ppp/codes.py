"""The code field of control protocols (RFC 1661 section 5, RFC 1570 section 1, RFC 1962 section 3)."""

from enum import IntEnum

from holdfast.ppp.framing import Protocol


class Code(IntEnum):
    """Codes 1 to 7 belong to every control protocol, 8 to 13 to LCP, 14 and 15 to CCP."""

    CONFIGURE_REQUEST = 1
    CONFIGURE_ACK = 2
    CONFIGURE_NAK = 3
    CONFIGURE_REJECT = 4
    TERMINATE_REQUEST = 5
    TERMINATE_ACK = 6
    CODE_REJECT = 7
    PROTOCOL_REJECT = 8
    ECHO_REQUEST = 9
    ECHO_REPLY = 10
    DISCARD_REQUEST = 11
    IDENTIFICATION = 12
    TIME_REMAINING = 13
    RESET_REQUEST = 14
    RESET_ACK = 15


CONFIGURE_CODES = frozenset(
    {Code.CONFIGURE_REQUEST, Code.CONFIGURE_ACK, Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT},
)
"""The codes whose data is a list of options."""

FUNDAMENTAL_CODES = frozenset(range(Code.CONFIGURE_REQUEST, Code.CODE_REJECT + 1))
"""Without these no control protocol works: a Code-Reject of one is catastrophic (RFC 1661 section 5.6)."""

MAGIC_CODES = frozenset(range(Code.ECHO_REQUEST, Code.TIME_REMAINING + 1))
"""The LCP codes whose data begins with the sender's Magic-Number."""

_AUTHENTICATION_NAMES: dict[int, dict[int, str]] = {
    Protocol.PAP: {1: "Authenticate-Request", 2: "Authenticate-Ack", 3: "Authenticate-Nak"},
    Protocol.CHAP: {
        1: "Challenge",
        2: "Response",
        3: "Success",
        4: "Failure",
        5: "Change-Password-1",
        6: "Change-Password-2",
        7: "Change-Password",
    },
    Protocol.EAP: {1: "Request", 2: "Response", 3: "Success", 4: "Failure"},
}
"""RFC 1334 section 2.2, RFC 1994 section 4, RFC 2433 sections 9 and 10, RFC 2759 section 7, RFC 2284 section 2.2."""


def code_name(protocol: int, code: int) -> str:
    """Return the name of a code in the words of its RFC, `code 0x2a` when it has none."""
    unknown = f"code 0x{code:02x}"
    if protocol in _AUTHENTICATION_NAMES:
        return _AUTHENTICATION_NAMES[protocol].get(code, unknown)
    try:
        return Code(code).name.title().replace("_", "-")
    except ValueError:
        return unknown
