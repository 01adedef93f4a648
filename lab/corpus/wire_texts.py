"""What a scripted server says that refuses, since pptpd never does."""

from holdfast.control.codes import OutgoingCallResult, StartResult
from holdfast.control.messages import ControlMessage, OutgoingCallReply, StartControlConnectionReply

PPTP_VERSION = 0x0100


def as_printf(octets: bytes) -> str:
    """Return a shell command that writes octets."""
    return "printf '" + "".join(f"\\{octet:03o}" for octet in octets) + "'"


def as_hdlc(frame: bytes) -> bytes:
    """Return a PPP frame as it goes over a serial line (RFC 1662 sections 4 and C.2)."""
    check = 0xFFFF
    for octet in frame:
        check ^= octet
        for _ in range(8):
            check = check >> 1 ^ (0x8408 if check & 1 else 0)
    whole = frame + (check ^ 0xFFFF).to_bytes(2, "little")
    escaped = b"".join(
        bytes((0x7D, octet ^ 0x20)) if octet < 0x20 or octet in b"}~" else bytes((octet,)) for octet in whole
    )
    return b"~" + escaped + b"~"


def says(*messages: ControlMessage) -> str:
    """Return a server that says these messages, whatever it hears."""
    talk = "".join(f"sleep 0.6; {as_printf(message.encode())}; " for message in messages)
    return f"({talk} sleep 25) | nc -l -p 1723"


def start_reply(result: StartResult) -> ControlMessage:
    """Return the answer to a connection."""
    return StartControlConnectionReply(
        protocol_version=PPTP_VERSION,
        result_code=result,
        error_code=0,
        framing_capabilities=3,
        bearer_capabilities=3,
        maximum_channels=1,
        firmware_revision=1,
        host_name="lab",
        vendor_string="lab",
    )


def call_reply(result: OutgoingCallResult) -> ControlMessage:
    """Return the answer to the first call of pptp-linux, whose Call ID is zero."""
    return OutgoingCallReply(
        call_id=7,
        peer_call_id=0,
        result_code=result,
        error_code=0,
        cause_code=0,
        connect_speed=0,
        packet_recv_window_size=0,
        packet_processing_delay=0,
        physical_channel_id=0,
    )
