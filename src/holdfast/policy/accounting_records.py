"""What a session's accounting says: RFC 2866, and RFC 2869 for what 32 bits do not hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import MappingProxyType

from holdfast.errors import DisconnectReason
from holdfast.radius.attributes import Attribute, attribute, text_of
from holdfast.radius.codes import AcctStatus, TerminateCause

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


def start() -> list[Attribute]:
    """Return what a Start says besides."""
    return [attribute("Acct-Status-Type", AcctStatus.START)]


def update(counts: list[Attribute]) -> list[Attribute]:
    """Return what an Interim-Update with these counts says besides."""
    return [attribute("Acct-Status-Type", AcctStatus.INTERIM_UPDATE), *counts]


def stop(usage: Usage, cause: TerminateCause) -> list[Attribute]:
    """Return what a Stop says besides."""
    status = attribute("Acct-Status-Type", AcctStatus.STOP)
    return [status, *counted(usage), attribute("Acct-Terminate-Cause", cause)]


def counted(usage: Usage) -> list[Attribute]:
    """Return the counts; octets in two parts, since one holds 4 GiB (RFC 2869 sections 5.1 and 5.2)."""
    numbers = {
        "Acct-Session-Time": usage.seconds,
        "Acct-Input-Octets": usage.bytes_in,
        "Acct-Input-Gigawords": usage.bytes_in >> 32,
        "Acct-Output-Octets": usage.bytes_out,
        "Acct-Output-Gigawords": usage.bytes_out >> 32,
        "Acct-Input-Packets": usage.packets_in,
        "Acct-Output-Packets": usage.packets_out,
    }
    return [attribute(name, number & 0xFFFFFFFF) for name, number in numbers.items()]
