"""What a control connection needs from someone with I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """The peer asks for a call: answer with `accept_call` or `refuse_call`, naming its `peer_call_id`.

    `incoming` is False for an Outgoing-Call-Request (we are the PAC) and True for an Incoming-Call-Request (we
    are the PNS). `receive_window` is how many packets the peer buffers, 0 when the request does not say so
    (Incoming-Call-Request); speeds are in bits per second.
    """

    peer_call_id: int
    serial_number: int
    incoming: bool
    bearer_type: int = 0
    framing_type: int = 0
    minimum_bps: int = 0
    maximum_bps: int = 0
    receive_window: int = 0
    processing_delay: int = 0
    physical_channel_id: int = 0
    phone_number: str = ""
    """The number to dial, or the number that was dialed."""
    dialing_number: str = ""
    subaddress: str = ""


@dataclass(frozen=True, slots=True)
class CloseTransport:
    """Send what is outgoing, then close the TCP connection. The machine is closed already."""

    detail: str


ControlCommand = AnswerCall | CloseTransport
