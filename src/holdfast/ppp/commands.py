"""What a link needs from someone with I/O: frozen values in the imperative.

They mirror the calls of the packet engine, which lives in a higher layer and is therefore not named here. Execute
the commands of a link before sending what it drained with `outgoing()`: a Configure-Ack that opens encryption
must not leave before the engine can decrypt.
"""

from dataclasses import dataclass

from holdfast.errors import DisconnectReason
from holdfast.ppp.authentication_types import VerifyCredentials
from holdfast.ppp.config import MppeMode
from holdfast.secret import Secret

__all__ = [
    "AddressAssignment",
    "AddressRefusal",
    "AssignAddress",
    "CloseNetwork",
    "ConfigureLink",
    "LinkCommand",
    "LinkFinished",
    "MppeDirection",
    "OpenNetwork",
    "RequireMppe",
    "ResetMppeSend",
    "StartMppe",
    "StopMppe",
    "VerifyCredentials",
]


@dataclass(frozen=True, slots=True)
class AddressAssignment:
    """Answer to `AssignAddress`: inner addresses as text, `local` ours, `peer` the peer's; at most two servers each."""

    local: str
    peer: str
    dns: tuple[str, ...] = ()
    wins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressRefusal:
    """Answer to `AssignAddress`: there is none, and why."""

    detail: str
    reason: DisconnectReason = DisconnectReason.NO_ADDRESS


@dataclass(frozen=True, slots=True)
class AssignAddress:
    """Choose addresses for `user` and call `address_assigned`. `wish`: what the peer asked for, None for any."""

    user: str
    wish: str | None


@dataclass(frozen=True, slots=True)
class ConfigureLink:
    """What LCP agreed. `mtu`: the largest inner IP packet to send; MPPE's own octets are already taken off.

    `mru`: the largest that the peer may send us. `compress_protocol`, `omit_framing`: the peer allows one-octet
    protocol fields, and to leave out `ff 03`.
    """

    mtu: int
    mru: int
    compress_protocol: bool
    omit_framing: bool
    local_magic: int
    peer_magic: int


@dataclass(frozen=True, slots=True)
class RequireMppe:
    """From now on drop (or no longer drop) user data that is not encrypted."""

    required: bool


@dataclass(frozen=True, slots=True)
class MppeDirection:
    """One direction of encryption. `start_key` has 8 octets for 40 and 56 bit, else 16 (RFC 3079)."""

    start_key: Secret
    bits: int
    mode: MppeMode


@dataclass(frozen=True, slots=True)
class StartMppe:
    """Start encryption in both directions; keys and counts begin anew."""

    receive: MppeDirection
    send: MppeDirection


@dataclass(frozen=True, slots=True)
class StopMppe:
    """Forget the keys of both directions."""


@dataclass(frozen=True, slots=True)
class ResetMppeSend:
    """The peer lost step (stateful mode): start the send tables anew and set FLUSHED (RFC 3078 section 8.2)."""


@dataclass(frozen=True, slots=True)
class OpenNetwork:
    """Let user packets pass between these inner addresses; either is empty when it was not agreed."""

    local: str
    peer: str


@dataclass(frozen=True, slots=True)
class CloseNetwork:
    """Stop user packets; control frames still pass."""


@dataclass(frozen=True, slots=True)
class LinkFinished:
    """The link is over. Said once, last. `evidence` is a sentence saying how the reason was known."""

    reason: DisconnectReason
    evidence: str


LinkCommand = (
    VerifyCredentials
    | AssignAddress
    | ConfigureLink
    | RequireMppe
    | StartMppe
    | StopMppe
    | ResetMppeSend
    | OpenNetwork
    | CloseNetwork
    | LinkFinished
)
