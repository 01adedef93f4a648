"""How a try at a tunnel turns out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.control.codes import DisconnectResult
from holdfast.errors import DisconnectReason, HoldfastError

Judge = Callable[[str, str], str]
"""Is given our inner address and the peer's; returns why they cannot be used, or nothing."""

CLEARED: Mapping[int, DisconnectReason] = {
    DisconnectResult.LOST_CARRIER: DisconnectReason.NETWORK_ERROR,
    DisconnectResult.GENERAL_ERROR: DisconnectReason.CONTROL_LOST,
    DisconnectResult.ADMIN_SHUTDOWN: DisconnectReason.GATEWAY_SHUTDOWN,
}
"""What a server means that clears our call without a goodbye by LCP (RFC 2637 section 2.13)."""


@dataclass(frozen=True, slots=True)
class Up:
    """A tunnel that carries traffic. Inner addresses as text; `mtu` in octets; `encryption` in words, or empty."""

    local: str
    peer: str
    dns: tuple[str, ...]
    mtu: int
    encryption: str
    handle: int
    outer_local: str


@dataclass(frozen=True, slots=True)
class Down:
    """Why a tunnel is gone. `server_answers`: the control connection still spoke when GRE was silent."""

    reason: DisconnectReason
    evidence: str
    server_answers: bool = False


class TunnelDownError(HoldfastError):
    """A try that did not come up. `down` says why."""

    def __init__(self, down: Down, where: str) -> None:
        self.down = down
        super().__init__(down.evidence, where=where)


def no_judge(_local: str, _peer: str) -> str:
    """Take any address."""
    return ""
