"""What a control connection is told at its start."""

from dataclasses import dataclass

from holdfast.control.codes import Bearer, Framing


@dataclass(frozen=True, slots=True)
class ControlConfig:
    """How to introduce ourselves, and how long and how much to bear. Times are in seconds.

    - `setup_timeout`: until Start-Control-Connection-Request and -Reply are exchanged. RFC 2637 section 3.1.4
      says 60; the shorter default keeps slow and silent clients from holding connections.
    - `echo_interval`, `echo_timeout`: section 3.1.4. An interval of 0 sends no Echo-Requests.
    - `reply_timeout`: for the peer's reply to a call message of ours, and for our own answer to its request
      (sections 3 and 3.2.1).
    - `clear_timeout`: for the Call-Disconnect-Notify after our Call-Clear-Request. Some peers never send one,
      so its absence ends the call only; section 3.2.1 would end the connection after 60 seconds.
    - `stop_timeout`: for the Stop-Control-Connection-Reply.
    - `max_violations`: so many messages out of place end the connection.
    - `accept_incoming_calls`: whether a PNS asks its owner about Incoming-Call-Requests or refuses them all.
    - `receive_window`, `processing_delay`: what we announce for each call, in packets and in tenths of a second.
    - `trace_messages`: whether each message is told as an event.
    """

    host_name: str = ""
    vendor: str = "Holdfast"
    firmware_revision: int = 1
    maximum_channels: int = 0
    framing_capabilities: int = Framing.EITHER
    bearer_capabilities: int = Bearer.ANY
    setup_timeout: float = 10.0
    echo_interval: float = 60.0
    echo_timeout: float = 60.0
    reply_timeout: float = 60.0
    clear_timeout: float = 5.0
    stop_timeout: float = 3.0
    max_calls: int = 16
    max_violations: int = 10
    accept_incoming_calls: bool = False
    receive_window: int = 64
    processing_delay: int = 0
    trace_messages: bool = True
