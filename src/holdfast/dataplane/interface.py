"""What the rest of Holdfast may ask of the packet engine, and what the engine tells it.

`holdfast.dataplane.engine.Engine` implements `PacketEngine` over the Rust core; tests use a stand-in. A call is
named by the integer handle that `add_call` returned; a handle is never used again within a process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from holdfast.secret import Secret

WHOLE_OVERHEAD = 40
"""Octets around the information of an LCP frame: IPv4 20, GRE 16 (with acknowledgement), `ff 03` and protocol 4."""
ENCRYPTED_OVERHEAD = 44
"""Octets around an inner packet with MPPE at most: the protocol field is inside then, and MPPE's header comes on top
(RFC 2637 section 4.1, RFC 3078 section 3)."""


class UpcallKind(IntEnum):
    """What an upcall reports."""

    FRAME = 1
    """A PPP frame that is not user data (or user data before the network phase): protocol field (2 octets,
    decompressed) and information, without `ff 03`."""
    MPPE_DESYNC = 2
    """The receive side lost MPPE synchronisation (stateful mode): a CCP Reset-Request is due."""
    ECHO_MISSED = 3
    """LCP Echo-Requests are unanswered; `value` says how many in a row."""
    ECHO_RECOVERED = 4
    """An echo was answered, or data arrived, after some were missed."""
    DEAD = 5
    """As many echoes in a row went unanswered as the keepalive allows. Told once."""
    UNKNOWN_CALL = 6
    """GRE for no call of ours (handle 0): `value` is the call ID, `peer` the source. At most ten a second."""
    WRONG_PEER = 7
    """GRE for a call of ours from an address that is not its peer: `value` is the call ID. Rate-limited."""
    SEND_FAILED = 8
    """The host refused to send for this call: `value` is the errno. Rate-limited to one a second and call."""
    BROKEN = 9
    """The engine carries nothing any more (handle 0): `frame` says why, in UTF-8. Only a new engine helps."""


@dataclass(frozen=True, slots=True)
class Upcall:
    """One thing the engine tells."""

    kind: UpcallKind
    handle: int
    frame: bytes = b""
    value: int = 0
    peer: str = ""


@dataclass(frozen=True, slots=True)
class CallPath:
    """Where the packets of one call go. Addresses are the outer IPv4 addresses in dotted form."""

    local_call_id: int
    peer_call_id: int
    local_address: str
    peer_address: str
    receive_window: int = 64
    peer_window: int = 64


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """What LCP agreed and policy asks, as far as packets are concerned.

    `mtu` is the largest inner IP packet that may be sent to the peer; `mru` the largest that we accept.
    `compress_protocol`: we may send one-octet protocol fields (the peer offered PFC); `omit_framing`: we may
    leave out `ff 03` (the peer offered ACFC). `local_magic` and `peer_magic` are for echoes.
    """

    mtu: int
    mru: int
    compress_protocol: bool
    omit_framing: bool
    local_magic: int
    peer_magic: int
    clamp_mss: bool = True


class MppeMode(IntEnum):
    """RFC 3078 section 3: how often the key changes."""

    STATELESS = 1
    STATEFUL = 2


@dataclass(frozen=True, slots=True)
class MppeDirection:
    """The start key of one direction (8 octets for 40 and 56 bit, else 16): RFC 3079's SendStartKey or
    ReceiveStartKey after MS-CHAPv2, InitialSessionKey (128 bit) or the LM hash's first 8 octets after MS-CHAPv1.

    It never encrypts: the engine makes the first session key from it with GetNewKeyFromSHA(start, start, length)
    and the salt octets, keys RC4 with that, and keeps the start key, which every later key change needs again (RFC
    3078 section 7.3).
    """

    start_key: Secret
    bits: int
    mode: MppeMode


@dataclass(frozen=True, slots=True)
class Keepalive:
    """LCP echo by the engine. `interval` in seconds, 0 switches it off; `adaptive` skips it while data arrives."""

    interval: float
    failures: int
    adaptive: bool = True


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts of one call, or of the whole engine. Times are seconds of the engine's monotonic clock, 0 = never;
    `last_user_in` and `last_user_out` leave out what hosts say by themselves (multicast, NetBIOS, mDNS, DHCP).

    `packets_in`, `bytes_in` ... count inner user packets; `gre_*` count GRE packets, `gre_fragmented_out` those that
    were too big for the way and went out in pieces. `unacknowledged_since`: since when a peer that used to acknowledge
    our GRE packets owes it, 0 while it owes nothing. `drops` maps a cause, such as `spoofed_source`, `clear_text`,
    `mppe_coherency`, `duplicate`, `late`, `malformed`, to a count. The whole engine has `socket_full` besides: GRE
    packets for which the kernel found no room, because the threads were too slow or not let run.
    """

    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    gre_packets_in: int = 0
    gre_packets_out: int = 0
    gre_lost: int = 0
    gre_reordered: int = 0
    gre_duplicates: int = 0
    gre_fragmented_out: int = 0
    mppe_resets: int = 0
    echoes_sent: int = 0
    echoes_answered: int = 0
    round_trip_time: float = 0.0
    last_received: float = 0.0
    last_user_in: float = 0.0
    last_user_out: float = 0.0
    unacknowledged_since: float = 0.0
    peer_ttl: int = 0
    drops: dict[str, int] = field(default_factory=dict)


class PacketEngine(Protocol):
    """One TUN device, raw protocol-47 sockets, and the threads between them.

    Every method may be called from the event loop: none blocks on the network. Unknown handles raise KeyError.
    """

    tun_name: str

    def fileno(self) -> int:
        """Return an eventfd that is readable while `poll` has something."""

    def poll(self, limit: int = 256) -> list[Upcall]:
        """Return what happened since the last call, oldest first, at most `limit` entries."""

    def add_call(self, path: CallPath) -> int:
        """Make a call known and return its handle. ValueError when (local call ID, peer address) is taken."""

    def remove_call(self, handle: int) -> Counters:
        """Forget a call and its keys; return its last counts. Waits until both threads let go of it."""

    def let_go(self, handles: Sequence[int]) -> None:
        """Let the threads forget calls that are about to be removed, in one go: `remove_call` then waits for nothing.

        What is sent to them from now on goes nowhere.
        """

    def send(self, handle: int, frame: bytes, *, whole: bool = False) -> None:
        """Send a PPP control frame (two-octet protocol field first); the engine adds `ff 03` and GRE.

        `whole`: in an IP packet that nobody may fragment (DF). It is as long as the information field and
        `WHOLE_OVERHEAD` octets, or is told as SEND_FAILED (EMSGSIZE) where the first link is too narrow for it.
        """

    def inject(self, handle: int, packet: bytes) -> None:
        """Send an inner IP packet to the peer as if it had come from the TUN, encrypted where the call is."""

    def configure(self, handle: int, link: LinkParameters) -> None:
        """Set what LCP agreed."""

    def set_mppe(self, handle: int, receive: MppeDirection | None, send: MppeDirection | None) -> None:
        """Start (or, with None, stop) encryption per direction. Keys and counts start over."""

    def require_mppe(self, handle: int, required: bool) -> None:
        """From now on drop clear user data of this call and count it under `clear_text`."""

    def reset_mppe_send(self, handle: int) -> None:
        """Answer a Reset-Request: re-initialise the send side and set the FLUSHED bit on the next packet."""

    def open_network(self, handle: int, peer_addresses: tuple[str, ...]) -> None:
        """Let user packets pass: these inner addresses (IPv4 or IPv6 text) are routed to the call and are the
        only sources it may use. A network (`192.168.5.0/24`) may stand among them; where two calls have an address,
        the longer prefix has it. `0.0.0.0/0` and `::/0` stand for all that no other call has, as destination and as
        source: a dialer opens its one call so. ValueError when an address belongs to another call."""

    def close_network(self, handle: int) -> None:
        """Stop user packets; control frames still pass."""

    def set_keepalive(self, handle: int, keepalive: Keepalive) -> None:
        """Send, answer and time LCP echoes in the engine. Answering needs no keepalive; beyond 100 requests a second a
        call's are dropped (`rate_limited`)."""

    def set_rates(self, handle: int, up: int, down: int) -> None:
        """Drop user packets from the peer (up) and to it (down) beyond so many bits a second (`rate_limited`).

        A quarter of a second's worth may come at once. 0 sets no limit.
        """

    def counters(self, handle: int) -> Counters:
        """Return the counts of one call."""

    def totals(self) -> Counters:
        """Return the counts of the engine, including what belongs to no call."""

    def close(self) -> None:
        """Stop the threads and close the sockets and the TUN device."""
