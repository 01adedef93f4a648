"""The words of EAP (RFC 3748): codes, Types, their names, and what of a packet may be shown to people."""

from enum import IntEnum

from holdfast.wire.text import printable

REQUEST, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4


class EapType(IntEnum):
    """Types that mean something here (RFC 3748 section 5 and the registry that it opened)."""

    IDENTITY = 1
    NOTIFICATION = 2
    NAK = 3
    MD5_CHALLENGE = 4
    OTP = 5
    GTC = 6
    TLS = 13
    TTLS = 21
    PEAP = 25
    MS_CHAP_V2 = 26
    FAST = 43
    PWD = 52
    TEAP = 55
    EXPANDED = 254


_NAMES: dict[int, str] = {
    EapType.IDENTITY: "Identity",
    EapType.NOTIFICATION: "Notification",
    EapType.NAK: "Nak",
    EapType.MD5_CHALLENGE: "EAP-MD5",
    EapType.OTP: "EAP-OTP",
    EapType.GTC: "EAP-GTC",
    EapType.TLS: "EAP-TLS",
    EapType.TTLS: "EAP-TTLS",
    EapType.PEAP: "PEAP",
    EapType.MS_CHAP_V2: "EAP-MSCHAPv2",
    EapType.FAST: "EAP-FAST",
    EapType.PWD: "EAP-PWD",
    EapType.TEAP: "TEAP",
    EapType.EXPANDED: "an expanded type",
}

NOT_A_METHOD = frozenset({EapType.IDENTITY, EapType.NOTIFICATION, EapType.NAK})
WITHOUT_KEYS = frozenset({EapType.MD5_CHALLENGE, EapType.OTP, EapType.GTC})
"""Methods from which no MPPE keys come, because they make none (RFC 3748 sections 5.4 to 5.6)."""


def type_name(number: int) -> str:
    """Return the usual name of a Type."""
    return _NAMES.get(number, f"EAP type {number}")


def describe_eap(code: int, data: bytes) -> str:
    """Return what the data of a packet says, as text for people; of a method only its name and size."""
    if code not in (REQUEST, RESPONSE) or not data:
        return f"{len(data)} octets" if data else ""
    name, rest = type_name(data[0]), data[1:]
    if data[0] == EapType.NAK:
        return f"{name} wanted={','.join(map(type_name, rest[:8]))}"
    if data[0] in NOT_A_METHOD:
        return f"{name} {printable(rest[:256])}".rstrip()
    return f"{name} {len(rest)} octets"
