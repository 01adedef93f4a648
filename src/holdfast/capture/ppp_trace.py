"""The PPP packets of a session in the order in which they went by."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from holdfast._native import GreFrame
from holdfast.capture.moment import Moment
from holdfast.ppp.codes import code_name
from holdfast.ppp.framing import Protocol, protocol_name, split
from holdfast.ppp.packet import Packet, describe, parse
from holdfast.wire.errors import MalformedError

CONTROL_PROTOCOLS = 0x8000
"""Protocol numbers from here on carry control packets with code, identifier and length (RFC 1661 section 2)."""


@dataclass(frozen=True, slots=True)
class PppItem:
    """One PPP control packet. `packet` may hold challenges and responses, so it never shows."""

    moment: Moment
    from_client: bool
    protocol: int
    packet: Packet = field(repr=False)

    @property
    def name(self) -> str:
        """Protocol and code, such as `LCP Configure-Request`."""
        return f"{protocol_name(self.protocol)} {code_name(self.protocol, self.packet.code)}"

    @property
    def text(self) -> str:
        """What the packet says, without secrets."""
        return describe(self.protocol, self.packet)


@dataclass(frozen=True, slots=True)
class PppFault:
    """A PPP frame that cannot be one."""

    moment: Moment
    from_client: bool
    detail: str


def decode(frames: Iterable[GreFrame], *, from_client: bool) -> tuple[list[PppItem], list[PppFault]]:
    """Decode the control packets of one direction. Repeated sequence numbers are left out, as a receiver would."""
    items: list[PppItem] = []
    faults: list[PppFault] = []
    for frame in frames:
        if frame.duplicate or frame.unnumbered:
            continue
        moment = Moment(*frame.place)
        found = decode_frame(frame.ppp, moment, from_client=from_client)
        if isinstance(found, PppItem):
            items.append(found)
        elif found is not None and not frame.cut:
            faults.append(found)
    return items, faults


def decode_frame(octets: bytes, moment: Moment, *, from_client: bool) -> PppItem | PppFault | None:
    """Decode one frame; None when it carries user data."""
    frame = split(octets)
    if frame is None:
        return PppFault(moment, from_client, "no PPP protocol number")
    if frame.protocol < CONTROL_PROTOCOLS or frame.protocol == Protocol.LQR:
        return None
    try:
        return PppItem(moment, from_client, frame.protocol, parse(frame.information))
    except MalformedError as error:
        return PppFault(moment, from_client, f"{protocol_name(frame.protocol)}: {error}")
