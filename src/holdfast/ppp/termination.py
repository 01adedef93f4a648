"""What a Terminate packet says: the free text of RFC 1661 section 5.5, as real peers use it.

pppd writes its reason in plain words. Windows writes its Magic-Number, the octets 00 3c cd 74, and a 32-bit error
of its remote access service.
"""

from dataclasses import dataclass

from holdfast.errors import DisconnectReason
from holdfast.wire.text import printable

WINDOWS_MARK = b"\x00\x3c\xcd\x74"

RAS_ERRORS: dict[int, tuple[str, DisconnectReason | None]] = {
    0: ("ended in good order", DisconnectReason.USER_REQUEST),
    619: ("the port was disconnected", None),
    628: ("the connection was closed", None),
    629: ("closed by the remote computer", None),
    631: ("disconnected by the user", DisconnectReason.USER_REQUEST),
    635: ("unknown error", None),
    638: ("the request timed out", DisconnectReason.NEGOTIATION_FAILED),
    645: ("internal authentication error", DisconnectReason.AUTH_FAILED),
    646: ("not permitted at this time of day", DisconnectReason.AUTH_REFUSED),
    647: ("the account is disabled", DisconnectReason.AUTH_REFUSED),
    648: ("the password has expired", DisconnectReason.AUTH_REFUSED),
    649: ("no remote access permission", DisconnectReason.AUTH_REFUSED),
    691: ("access denied: wrong user name or password", DisconnectReason.AUTH_FAILED),
    709: ("the password could not be changed", DisconnectReason.AUTH_FAILED),
    718: ("PPP timeout", DisconnectReason.NEGOTIATION_FAILED),
    719: ("PPP terminated by the remote machine", None),
    720: ("no PPP control protocol configured", DisconnectReason.NEGOTIATION_FAILED),
    721: ("the PPP peer does not respond", DisconnectReason.NEGOTIATION_FAILED),
    722: ("invalid PPP packet", DisconnectReason.PROTOCOL_FAILURE),
    731: ("the protocol is not configured", DisconnectReason.NEGOTIATION_FAILED),
    732: ("PPP does not converge", DisconnectReason.NEGOTIATION_FAILED),
    733: ("a control protocol was rejected", DisconnectReason.NEGOTIATION_FAILED),
    734: ("the link control protocol was terminated", None),
    735: ("the requested address was rejected", DisconnectReason.NO_ADDRESS),
    736: ("the network control protocol was terminated", DisconnectReason.NEGOTIATION_FAILED),
    737: ("the link is looped back", DisconnectReason.NETWORK_ERROR),
    738: ("no address was assigned", DisconnectReason.NO_ADDRESS),
    741: ("the local computer does not encrypt as required", DisconnectReason.ENCRYPTION_MISMATCH),
    742: ("the remote computer does not encrypt as required", DisconnectReason.ENCRYPTION_MISMATCH),
    743: ("the remote computer requires encryption", DisconnectReason.ENCRYPTION_MISMATCH),
    768: ("encryption failed", DisconnectReason.ENCRYPTION_MISMATCH),
    812: ("policy or authentication method mismatch", DisconnectReason.AUTH_REFUSED),
    828: ("idle for too long", DisconnectReason.IDLE_TIMEOUT),
    829: ("the connection was interrupted", DisconnectReason.NETWORK_ERROR),
    930: ("the authentication server did not answer in time", DisconnectReason.AUTH_UNAVAILABLE),
}
"""Windows remote access errors that occur in PPP, with our word for them where there is one."""

_PHRASES: tuple[tuple[str, DisconnectReason], ...] = (
    ("mppe required", DisconnectReason.ENCRYPTION_MISMATCH),
    ("authentication server unavailable", DisconnectReason.AUTH_UNAVAILABLE),
    ("refused to authenticate", DisconnectReason.AUTH_REFUSED),
    ("failed to authenticate", DisconnectReason.AUTH_FAILED),
    ("authentication failed", DisconnectReason.AUTH_FAILED),
    ("mutual authentication", DisconnectReason.AUTH_FAILED),
    ("no network protocols", DisconnectReason.NEGOTIATION_FAILED),
    ("peer not responding", DisconnectReason.ECHO_TIMEOUT),
    ("link inactive", DisconnectReason.IDLE_TIMEOUT),
    ("connect time expired", DisconnectReason.SESSION_TIMEOUT),
    ("looped back", DisconnectReason.NETWORK_ERROR),
    ("user request", DisconnectReason.USER_REQUEST),
    ("mppe disabled", DisconnectReason.USER_REQUEST),
)
"""Parts of what pppd and its kin write, in lower case; the first that fits counts."""


@dataclass(frozen=True, slots=True)
class TerminateCause:
    """What the data of a Terminate packet says. `reason` is None when it does not tell."""

    text: str
    reason: DisconnectReason | None = None
    ras_error: int | None = None


def terminate_cause(data: bytes, *, from_server: bool = False) -> TerminateCause:
    """Read the data of a Terminate-Request or -Ack of any control protocol.

    `from_server`: the peer let us in, so it may name reasons that are a gateway's alone, in the words of ours.
    """
    error = ras_error(data)
    if error is not None:
        text, reason = RAS_ERRORS.get(error, ("unknown", None))
        return TerminateCause(f"Windows error {error}: {text}", reason, error)
    words = printable(data[:128])
    lower = words.lower()
    named = _SERVERS_WORDS.get(lower) if from_server else None
    return TerminateCause(words, named or next((reason for phrase, reason in _PHRASES if phrase in lower), None))


def ras_error(data: bytes) -> int | None:
    """Return the Windows error in the data of a Terminate packet, None when there is none."""
    if len(data) < 12 or data[4:8] != WINDOWS_MARK:
        return None
    return int.from_bytes(data[8:12])


_WORDS: dict[DisconnectReason, str] = {
    DisconnectReason.USER_REQUEST: "User request",
    DisconnectReason.IDLE_TIMEOUT: "Link inactive",
    DisconnectReason.SESSION_TIMEOUT: "Connect time expired",
    DisconnectReason.ECHO_TIMEOUT: "Peer not responding",
    DisconnectReason.AUTH_FAILED: "Authentication failed",
    DisconnectReason.AUTH_REFUSED: "peer refused to authenticate",
    DisconnectReason.AUTH_UNAVAILABLE: "Authentication server unavailable, try again later",
    DisconnectReason.ENCRYPTION_MISMATCH: "MPPE required but peer negotiation failed",
    DisconnectReason.NEGOTIATION_FAILED: "No network protocols running",
    DisconnectReason.NO_ADDRESS: "No address available",
}


def terminate_words(reason: DisconnectReason) -> str:
    """Return the text of our Terminate-Request: the words that pppd uses, which people and tools know."""
    return _WORDS.get(reason) or reason.value.replace("_", " ").capitalize()


SERVERS_REASONS = frozenset(
    {
        DisconnectReason.ADMIN,
        DisconnectReason.VOLUME_LIMIT,
        DisconnectReason.LIMIT_REACHED,
        DisconnectReason.REPLACED,
        DisconnectReason.GATEWAY_SHUTDOWN,
        DisconnectReason.RADIUS_DISCONNECT,
    }
)
"""What only a gateway can know; from a client they would be a claim about the gateway's own acts."""
_SERVERS_WORDS = {terminate_words(reason).lower(): reason for reason in SERVERS_REASONS}
