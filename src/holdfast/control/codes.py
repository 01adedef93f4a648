"""Numbers of RFC 2637 with their meaning. A peer may send others: those stay plain integers.

Every enumeration has `describe(value)`, which gives the number with its meaning, or `unregistered`.
"""

from enum import IntEnum, IntFlag, StrEnum
from typing import Final, Self

MAGIC_COOKIE: Final = 0x1A2B3C4D
PROTOCOL_VERSION: Final = 0x0100
"""Version 1 in the high octet, revision 0 in the low one (section 1.4)."""

CONTROL_PORT: Final = 1723


class Role(StrEnum):
    """Which end of the tunnel we are (section 1.2)."""

    PAC = "PAC"
    """PPTP Access Concentrator: what people call the server of a VPN."""
    PNS = "PNS"
    """PPTP Network Server: the caller, what people call the client of a VPN."""

    @property
    def peer(self) -> "Role":
        """The other role."""
        return Role.PNS if self is Role.PAC else Role.PAC


class PptpMessageType(IntEnum):
    """Section 1.4. Management messages are not defined."""

    CONTROL = 1
    MANAGEMENT = 2


class ControlMessageType(IntEnum):
    """Section 1.4, with the section that defines each message."""

    START_CONTROL_CONNECTION_REQUEST = 1
    START_CONTROL_CONNECTION_REPLY = 2
    STOP_CONTROL_CONNECTION_REQUEST = 3
    STOP_CONTROL_CONNECTION_REPLY = 4
    ECHO_REQUEST = 5
    ECHO_REPLY = 6
    OUTGOING_CALL_REQUEST = 7
    OUTGOING_CALL_REPLY = 8
    INCOMING_CALL_REQUEST = 9
    INCOMING_CALL_REPLY = 10
    INCOMING_CALL_CONNECTED = 11
    CALL_CLEAR_REQUEST = 12
    CALL_DISCONNECT_NOTIFY = 13
    WAN_ERROR_NOTIFY = 14
    SET_LINK_INFO = 15


class Code(IntEnum):
    """A registered number that knows its meaning."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Make a member of a number and its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    @classmethod
    def describe(cls, value: int) -> str:
        """Return the number and its meaning, such as `5 (Bad-Call ID)`."""
        known = cls._value2member_map_.get(value)
        return f"{value} ({known.meaning if isinstance(known, Code) else 'unregistered'})"


class GeneralError(Code):
    """General Error Codes, section 2.16."""

    NONE = 0, "no general error"
    NOT_CONNECTED = 1, "Not-Connected: no control connection yet for this PAC-PNS pair"
    BAD_FORMAT = 2, "Bad-Format: wrong length or magic cookie"
    BAD_VALUE = 3, "Bad-Value: a field out of range or a reserved field not zero"
    NO_RESOURCE = 4, "No-Resource: not enough resources for this now"
    BAD_CALL_ID = 5, "Bad-Call ID: the Call ID is invalid here"
    PAC_ERROR = 6, "PAC-Error: an error of the PAC's own kind"


class StartResult(Code):
    """Result Code of Start-Control-Connection-Reply, section 2.2."""

    OK = 1, "channel established"
    GENERAL_ERROR = 2, "General Error"
    ALREADY_EXISTS = 3, "command channel already exists"
    NOT_AUTHORIZED = 4, "requester not authorized"
    VERSION_NOT_SUPPORTED = 5, "protocol version not supported"


class StopReason(Code):
    """Reason of Stop-Control-Connection-Request, section 2.3."""

    NONE = 1, "None: general request to close"
    STOP_PROTOCOL = 2, "Stop-Protocol: peer's protocol version cannot be supported"
    STOP_LOCAL_SHUTDOWN = 3, "Stop-Local-Shutdown: the requester is being shut down"


class GeneralResult(Code):
    """Result Code of Stop-Control-Connection-Reply and Echo-Reply, sections 2.4 and 2.6."""

    OK = 1, "OK"
    GENERAL_ERROR = 2, "General Error"


class OutgoingCallResult(Code):
    """Result Code of Outgoing-Call-Reply, section 2.8."""

    CONNECTED = 1, "Connected"
    GENERAL_ERROR = 2, "General Error"
    NO_CARRIER = 3, "No Carrier"
    BUSY = 4, "Busy"
    NO_DIAL_TONE = 5, "No Dial Tone"
    TIME_OUT = 6, "Time-out"
    DO_NOT_ACCEPT = 7, "Do Not Accept: administratively prohibited"


class IncomingCallResult(Code):
    """Result Code of Incoming-Call-Reply, section 2.10."""

    CONNECT = 1, "Connect"
    GENERAL_ERROR = 2, "General Error"
    DO_NOT_ACCEPT = 3, "Do Not Accept"


class DisconnectResult(Code):
    """Result Code of Call-Disconnect-Notify, section 2.13. Windows also sends 0, for a normal clear."""

    LOST_CARRIER = 1, "Lost Carrier"
    GENERAL_ERROR = 2, "General Error"
    ADMIN_SHUTDOWN = 3, "Admin Shutdown"
    REQUEST = 4, "Request: answer to a Call-Clear-Request"


class CauseCode(Code):
    """The Q.931 causes that are met in practice; sections 2.8 and 2.13 leave the field to the kind of call."""

    NONE = 0, "none"
    NORMAL_CALL_CLEARING = 16, "normal call clearing"
    USER_BUSY = 17, "user busy"
    NO_USER_RESPONDING = 18, "no user responding"
    NO_ANSWER = 19, "no answer"
    CALL_REJECTED = 21, "call rejected"
    DESTINATION_OUT_OF_ORDER = 27, "destination out of order"
    NORMAL_UNSPECIFIED = 31, "normal, unspecified"
    NO_CIRCUIT_AVAILABLE = 34, "no circuit available"
    NETWORK_OUT_OF_ORDER = 38, "network out of order"
    TEMPORARY_FAILURE = 41, "temporary failure"
    RECOVERY_ON_TIMER_EXPIRY = 102, "recovery on timer expiry"


class Framing(IntFlag):
    """Framing Capabilities and Framing Type, sections 2.1, 2.7 and 2.11."""

    ASYNCHRONOUS = 1
    SYNCHRONOUS = 2
    EITHER = 3


class Bearer(IntFlag):
    """Bearer Capabilities and Bearer Type, sections 2.1, 2.7 and 2.9."""

    ANALOG = 1
    DIGITAL = 2
    ANY = 3
