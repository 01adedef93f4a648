# ruff: noqa: PYI021 - what the native module does is documented here and nowhere else
"""The Rust core: private, reached through `holdfast.dataplane.engine`, `holdfast.capture` and `observe.rendering`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, final

__version__: str

# --- data plane: small pure functions, for tests against the readable reference ----------------------------

def gre_parse(octets: bytes) -> tuple[int, int | None, int | None, bytes] | None:
    """Return (call ID, sequence number, acknowledgement number, payload) of an enhanced GRE packet (RFC 2637 4.1).

    None unless version 1, key present, protocol 0x880b, no checksum, no routing, and the payload complete. Octets
    beyond the payload length are padding. Other reserved bits are ignored.
    """

def gre_build(call_id: int, sequence: int | None, acknowledgement: int | None, payload: bytes) -> bytes:
    """Return an enhanced GRE packet. ValueError when the payload is longer than 65535 octets."""

@final
class MppeCipher:
    """Sender and receiver with the same key. `start_key` as in `interface.MppeDirection`: 8 or 16 octets."""

    def __new__(cls, start_key: bytes, bits: int, stateless: bool) -> MppeCipher: ...
    def encrypt(self, data: bytes) -> bytes:
        """Return the MPPE header (2 octets) and the encrypted `data` (which begins with a PPP protocol field)."""

    def decrypt(self, packet: bytes) -> bytes | None:
        """Return the clear data, or None when the packet must be dropped (repeated, not encrypted, out of step).

        Stateless gaps of more than 64 packets, and stateful FLUSHED packets after a gap or away from a flag packet, are
        accepted only when the clear data is an IPv4 or IPv6 packet or a known control protocol behind its
        protocol field: a forged count must not move the key chain.
        """

    def reset(self) -> None:
        """Answer a CCP Reset-Request (stateful): the count leaps to the next flag packet."""

@final
class GreWindow:
    """The receive window of one call, without the reordering buffer."""

    def __new__(cls) -> GreWindow: ...
    def accept(self, sequence: int) -> tuple[Literal["next", "ahead", "late", "duplicate", "stray"], int]:
        """Judge and remember a number. The second item counts what is missing before an `ahead` one.

        `late`: below the highest, not seen before; `stray`: 128 or more below it, or more than 8192 above. Sixteen
        strays in a row, each the successor of the one before, start the window over (the sixteenth is `next`).
        """

    @property
    def highest(self) -> int | None:
        """The highest number so far: what an acknowledgement says."""

# --- the event log ------------------------------------------------------------------------------------------

@final
class EventShape:
    """What the lines of one kind of fact have in common: `head` follows the time, as `,"event":...`; `names` of fields.

    ValueError for fields that are named as a part of the envelope (ts, event, severity, v), or for more than 64.
    """

    def __new__(cls, head: bytes, names: Sequence[str]) -> EventShape: ...
    def text(self, stamp: str, event: object, context: Mapping[str, Any]) -> bytes | None:
        """Return the JSON object of a fact as `observe.record` makes it; None when something in it is not plain."""

def chain_lines(texts: list[bytes], seq: int, previous: bytes) -> tuple[bytes, bytes]:
    """Return the lines of JSON objects behind line `seq`, joined, and the last chain value (`observe.chain.compose`).

    The GIL is released meanwhile. OverflowError when the numbers run out.
    """

# --- captures ----------------------------------------------------------------------------------------------

Place: TypeAlias = tuple[int, int, int]
"""(nanoseconds since the epoch, input counted from 0, frame number as Wireshark counts)."""

class CaptureError(Exception):
    """No input could be read. `args` are what is wrong and what to do about it (may be empty)."""

@final
class CaptureFile:
    """One input. `error` is (what, fix) when it could not be read at all, `notes` are (kind, text, frame)."""

    name: str
    format: str
    frames: int
    error: tuple[str, str] | None
    notes: list[tuple[str, str, int]]
    comments: list[tuple[int, str]]
    dropped: int
    link_types: list[int]

@final
class Segment:
    """One TCP segment. `flags`: FIN 1, SYN 2, RST 4, PSH 8, ACK 16. `sound`: its checksum, None when it was cut."""

    place: Place
    from_client: bool
    sequence: int
    acknowledgement: int
    flags: int
    length: int
    payload: bytes
    ttl: int
    identification: int
    mss: int | None
    sound: bool | None
    retry: bool

@final
class ControlFlow:
    """One TCP connection to port 1723. `cookie`: a control message was seen. `skipped` segments were left out."""

    client: tuple[str, int]
    server: tuple[str, int]
    segments: tuple[Segment, ...]
    skipped: int
    cookie: bool
    opened: bool
    messages: int

@final
class GreFrame:
    """One sampled GRE packet with a PPP frame; `ppp` may be cut, `length` is its size on the wire."""

    place: Place
    sequence: int | None
    acknowledgement: int | None
    ppp: bytes
    length: int
    duplicate: bool
    wireless_retry: bool
    reordered: bool
    cut: bool
    unnumbered: bool

@final
class GreFlow:
    """One direction of one call, named by the receiver's call ID. Counts are of packets as captured.

    `copies` are the very same IP packet again (`copies_wireless`: by 802.11), `duplicates` the same sequence number
    in another packet, `acked_unseen` numbers that the receiver confirmed and the capture lacks, `late` far behind,
    `aged` those of them that came seconds after the first, `repeated_data` those with user data. `sizes` counts
    packets in steps of 100 octets of IP. `lag_*`: how long this side took to acknowledge what the other sent, seen
    from the capture point; `lag_sure_ns`: what the slowest 5 % of it took on the way at least, however long this side
    held the acknowledgement back. `timeline`: (packets, octets, missing) in each step.
    """

    source: str
    destination: str
    call_id: int
    packets: int
    octets: int
    acks_only: int
    frames: int
    negotiation_frames: int
    encrypted: int
    clear: int
    other: int
    unnumbered: int
    short: int
    missing: int
    acked_unseen: int
    jumps: int
    reordered: int
    reordered_most: int
    copies: int
    copies_other_ttl: int
    copies_wireless: int
    duplicates: int
    late: int
    repeated_data: int
    aged: int
    late_first: Place | None
    ttl: tuple[int, int]
    largest: int
    sizes: list[int]
    first: Place
    last: Place
    numbers: tuple[int, int] | None
    acknowledged: int | None
    silence_from: Place
    silence_ns: int
    dont_fragment: int
    gaps: list[tuple[Place, int]]
    lag_count: int
    lag_median_ns: int | None
    lag_sure_ns: int
    lag_sure_most_ns: int
    timeline_start_ns: int
    timeline_step_ns: int
    timeline: list[tuple[int, int, int]]
    negotiation: tuple[GreFrame, ...]
    negotiation_skipped: int
    echoes: tuple[GreFrame, ...]
    echoes_skipped: int
    data: tuple[GreFrame, ...]
    data_skipped: int

@final
class IcmpNotice:
    """ICMP errors of one kind about one flow; `kind` and `code` are of ICMPv6 when `version_6`."""

    first: Place
    last: Place
    count: int
    source: str
    destination: str
    kind: int
    code: int
    mtu: int
    version_6: bool
    quoted_source: str
    quoted_destination: str
    quoted_protocol: int
    quoted_call_id: int | None
    quoted_length: int

@final
class RadiusPacket:
    """One RADIUS packet, header included."""

    place: Place
    source: tuple[str, int]
    destination: tuple[str, int]
    octets: bytes

@final
class PppLinkFlow:
    """PPP captured on a link itself, one direction."""

    outbound: bool
    packets: int
    frames: tuple[GreFrame, ...]

@final
class FragmentCount:
    """GRE from one address to another that came in IP fragments; `whole` datagrams could be put together."""

    source: str
    destination: str
    fragments: int
    whole: int
    first: Place

@final
class CaptureCounts:
    """Counts over all inputs. `messages`: segments that begin with a control message; `ppp`: GRE with a PPP frame.

    `elsewhere`: another TCP port on which PPTP was begun, 0 when there is none.
    """

    frames: int
    octets: int
    control: int
    elsewhere: int
    messages: int
    gre: int
    ppp: int
    foreign_gre: int
    malformed_gre: int
    icmp: int
    protected: int
    cut: int
    unknown_link: int
    out_of_order: int
    span_ns: tuple[int, int] | None
    overflowed: int

@final
class CaptureIndex:
    """What one pass over the inputs found. `stopped`: the caller or Ctrl-C ended the pass early."""

    files: tuple[CaptureFile, ...]
    counts: CaptureCounts
    stopped: bool
    control_count: int
    gre_count: int
    def control(self, most: int) -> tuple[ControlFlow, ...]: ...
    def gre(self, most: int) -> tuple[GreFlow, ...]: ...
    def icmp(self) -> tuple[IcmpNotice, ...]: ...
    def fragments(self) -> tuple[FragmentCount, ...]: ...
    def radius(self) -> tuple[RadiusPacket, ...]: ...
    def link_ppp(self) -> tuple[PppLinkFlow, ...]: ...

def read_captures(
    names: list[str],
    *,
    data_frames: int,
    data_octets: int,
    budget: int,
    port: int,
    progress: Callable[[int, int | None], bool] | None = None,
) -> CaptureIndex:
    """Read files (`-`: standard input) as one capture, the GIL released.

    `data_frames` and `data_octets` bound what is kept of each flow's user data, `budget` the octets kept in all.
    `port` is the TCP port of control connections.
    `progress(octets taken, of how many)` is called now and then; False stops. Raises CaptureError when no input can
    be read; one that cannot among others that can is told in `files`.
    """

@final
class LiveIndex:
    """The same index over IP packets that come one after the other. At most `gre_flows` are looked at."""

    def __new__(
        cls, name: str, *, data_frames: int, data_octets: int, budget: int, gre_flows: int, port: int
    ) -> LiveIndex: ...
    def add(self, time_ns: int, packet: bytes, length: int) -> None:
        """Take an IP packet, or its beginning, that had `length` octets on the wire."""

    def snapshot(self, now_ns: int, lost: int) -> CaptureIndex:
        """Return what was found until `now_ns`, silence included; `lost` packets are said to have gone by unseen."""

@final
class PlainFile:
    """A file looked through gzip and zstd. CaptureError when it cannot be opened."""

    def __new__(cls, path: str) -> PlainFile: ...
    def read(self, most: int) -> bytes:
        """Return up to so many octets, none at the end. OSError when it is damaged or expands beyond reason."""

# --- data plane: the engine ---------------------------------------------------------------------------------

_MppeKey: TypeAlias = tuple[bytes, int, bool]
"""Start key, bits, stateless."""

@final
class PacketEngine:
    """The packet engine with plain types; `holdfast.dataplane.engine.Engine` describes the methods.

    Unknown handles raise KeyError. Times are seconds.
    """

    def __new__(
        cls,
        tun_name: str,
        tun_mtu: int,
        bind_addresses: list[str],
        reorder_timeout: float,
        heartbeats: list[str],
        workers: int,
    ) -> PacketEngine: ...
    @property
    def tun_name(self) -> str: ...
    def fileno(self) -> int: ...
    def poll(self, limit: int) -> list[tuple[int, int, bytes, int, str]]:
        """Return (kind, handle, frame, value, peer) of each upcall."""

    def add_call(self, local_call_id: int, peer_call_id: int, local: str, peer: str, receive_window: int) -> int: ...
    def remove_call(self, handle: int) -> dict[str, Any]: ...
    def let_go(self, handles: list[int]) -> None: ...
    def send(self, handle: int, frame: bytes, whole: bool) -> None: ...
    def inject(self, handle: int, packet: bytes) -> None: ...
    def configure(
        self,
        handle: int,
        mtu: int,
        compress_protocol: bool,
        omit_framing: bool,
        local_magic: int,
        clamp_mss: bool,
    ) -> None: ...
    def set_mppe(self, handle: int, receive: _MppeKey | None, send: _MppeKey | None) -> None: ...
    def require_mppe(self, handle: int, required: bool) -> None: ...
    def reset_mppe_send(self, handle: int) -> None: ...
    def set_addresses(self, handle: int, addresses: list[str]) -> None:
        """Let user packets of these addresses pass; an empty list closes the network phase."""

    def set_rates(self, handle: int, up: int, down: int) -> None: ...
    def set_keepalive(self, handle: int, interval: float, failures: int, adaptive: bool) -> None: ...
    def counters(self, handle: int) -> dict[str, Any]:
        """Return the fields of `interface.Counters`."""

    def totals(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
