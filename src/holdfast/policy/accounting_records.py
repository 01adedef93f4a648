"""What a session's accounting says: RFC 2866, and RFC 2869 for what 32 bits do not hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from struct import Struct
from types import MappingProxyType

from holdfast.errors import DisconnectReason
from holdfast.radius.attributes import Attribute, attribute, text_of
from holdfast.radius.codes import AcctStatus, TerminateCause
from holdfast.radius.dictionary import BY_NAME

BY_RADIUS, BY_LOCAL = 1, 2
"""Acct-Authentic (RFC 2866 section 5.6)."""

TERMINATE_CAUSES: Mapping[DisconnectReason, TerminateCause] = MappingProxyType(
    {
        DisconnectReason.USER_REQUEST: TerminateCause.USER_REQUEST,
        DisconnectReason.ADMIN: TerminateCause.ADMIN_RESET,
        DisconnectReason.IDLE_TIMEOUT: TerminateCause.IDLE_TIMEOUT,
        DisconnectReason.SESSION_TIMEOUT: TerminateCause.SESSION_TIMEOUT,
        DisconnectReason.VOLUME_LIMIT: TerminateCause.NAS_REQUEST,
        DisconnectReason.ECHO_TIMEOUT: TerminateCause.LOST_CARRIER,
        DisconnectReason.CONTROL_LOST: TerminateCause.LOST_CARRIER,
        DisconnectReason.NETWORK_ERROR: TerminateCause.LOST_SERVICE,
        DisconnectReason.AUTH_FAILED: TerminateCause.USER_ERROR,
        DisconnectReason.AUTH_REFUSED: TerminateCause.USER_ERROR,
        DisconnectReason.AUTH_UNAVAILABLE: TerminateCause.SERVICE_UNAVAILABLE,
        DisconnectReason.ENCRYPTION_MISMATCH: TerminateCause.SERVICE_UNAVAILABLE,
        DisconnectReason.NEGOTIATION_FAILED: TerminateCause.USER_ERROR,
        DisconnectReason.PROTOCOL_FAILURE: TerminateCause.USER_ERROR,
        DisconnectReason.NO_ADDRESS: TerminateCause.SERVICE_UNAVAILABLE,
        DisconnectReason.LIMIT_REACHED: TerminateCause.NAS_REQUEST,
        DisconnectReason.REPLACED: TerminateCause.PORT_PREEMPTED,
        DisconnectReason.GATEWAY_SHUTDOWN: TerminateCause.ADMIN_REBOOT,
        DisconnectReason.RADIUS_DISCONNECT: TerminateCause.ADMIN_RESET,
        DisconnectReason.INTERNAL_ERROR: TerminateCause.NAS_ERROR,
    }
)
"""RFC 2866 section 5.10, for each of our words."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session has used so far. Seconds since it came up; octets and packets from the client (in) and to it."""

    seconds: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0


def identity(
    user: str, address: str, class_: tuple[bytes, ...], place: list[Attribute], *, by_radius: bool
) -> list[Attribute]:
    """Return what every record of a session says. `class_` goes back as it came (RFC 2865 section 5.25)."""
    found = [attribute("User-Name", text_of(user)), attribute("Acct-Authentic", BY_RADIUS if by_radius else BY_LOCAL)]
    if address:
        found.append(attribute("Framed-IP-Address", IPv4Address(address)))
    return [*found, *(attribute("Class", value) for value in class_), *place]


def of_kind(status: AcctStatus) -> bytes:
    """Return the Acct-Status-Type, with which each record begins, as octets."""
    return _numbers((_STATUS,), status)


def stop(counts: bytes, cause: TerminateCause) -> bytes:
    """Return what a Stop with these counts says besides whose it is, as octets."""
    return of_kind(AcctStatus.STOP) + counts + _numbers((_CAUSE,), cause)


def counted(usage: Usage) -> bytes:
    """Return the counts as octets of attributes; in two parts, since one holds 4 GiB (RFC 2869 sections 5.1, 5.2)."""
    return _numbers(
        _COUNTS,
        usage.seconds,
        usage.bytes_in,
        usage.bytes_in >> 32,
        usage.bytes_out,
        usage.bytes_out >> 32,
        usage.packets_in,
        usage.packets_out,
    )


def times(at: float, now: float) -> bytes:
    """Return Event-Timestamp and Acct-Delay-Time of what was true `at` and goes out `now` (seconds since 1970)."""
    return _numbers(_TIMES, int(at), max(0, int(now - at)))


def _numbers(names: tuple[int, ...], *values: int) -> bytes:
    """Return attributes with numbers of 32 bits: thousands of records a minute are made of these."""
    return b"".join(_NUMBER.pack(name, 6, value & 0xFFFFFFFF) for name, value in zip(names, values, strict=True))


_NUMBER = Struct("!BBI")
_STATUS, _CAUSE = BY_NAME["Acct-Status-Type"].number, BY_NAME["Acct-Terminate-Cause"].number
_TIMES = BY_NAME["Event-Timestamp"].number, BY_NAME["Acct-Delay-Time"].number
_COUNTS = tuple(
    BY_NAME[name].number
    for name in (
        "Acct-Session-Time",
        "Acct-Input-Octets",
        "Acct-Input-Gigawords",
        "Acct-Output-Octets",
        "Acct-Output-Gigawords",
        "Acct-Input-Packets",
        "Acct-Output-Packets",
    )
)
