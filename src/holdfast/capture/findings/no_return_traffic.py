"""The tunnel is up and nothing comes back."""

import itertools
from collections.abc import Iterator

from holdfast._native import GreFrame
from holdfast.capture.findings.backoff import longest_backoff
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment
from holdfast.capture.session import Phase
from holdfast.network.commands import translate_iptables, translate_nft

ENTRY = Entry(
    id="no-return-traffic",
    title="The tunnel is up, but nothing comes back",
    meaning="The user is connected and sends, and the server sends no data at all: behind the server packets are not "
    "forwarded, or the answers do not find the way back.",
    recognised="An agreed address, at least five packets of user data from the client over at least four seconds, and "
    "none from the server; more patience when encryption hides what the packets are, unless their pauses tell.",
    severity=Severity.FAULT,
    windows_codes=(),
    fixes=Fixes(
        server=(
            "Forwarding: `sysctl net.ipv4.ip_forward=1`, and keep it in /etc/sysctl.d/.",
            f"NAT for the pool: `{translate_nft()}` or `{translate_iptables()}`.",
            "Firewall: forward chain must accept ppp+ both ways. Route back: the LAN's router must know the pool.",
        ),
        client=("Is the route right? `route print`, or `ip route get ADDRESS`.",),
    ),
    capture_next="Capture on the server's inner interface at the same time: do the packets leave it, do answers come?",
    references=("RFC 1812 section 5.2",),
)

LEAST, SECONDS, SURE = 5, 4.0, 20
REPEATS, STREAMED = 3, 600
CONNECTING = 150
"""Octets of a frame that may ask for a connection or a name; DHCPINFORM of Windows, which nobody need answer, has more
than 300 and pauses that grow as well."""


def recognise(view: View) -> Iterator[Finding]:
    """Data one way only, while the other side lives."""
    session = view.session
    if not view.reached(Phase.ADDRESS) or not session.down:
        return
    sent, answered = session.data_packets(up=True), session.data_packets(up=False)
    first = session.first_data(up=True)
    if answered or sent < LEAST or first is None:
        return
    last = max(Moment(*frame.place) for flow in session.up for frame in flow.data)
    lasted = last.since(first)
    if lasted < SECONDS or _only_broadcasts(view):
        return
    hidden, asking = view.link.mppe is not None, _like_questions(view)
    if hidden and not asking and (sent < SURE or lasted < 10 or _streams(view)):
        return
    certainty = 0.55 + (0.2 if sent >= SURE else 0.0) + (0.0 if hidden else 0.15)
    severity = Severity.FAULT if certainty >= 0.7 or asking else Severity.WARNING
    why = f"The client sent {sent} packets of data in {lasted:.0f} s after it got an address, the server none."
    if asking:
        certainty += 0.1
        why += f" {asking}"
    yield ENTRY.found(why, [first, last], certainty=certainty, severity=severity, towards=Towards.CLIENT)


def _like_questions(view: View) -> str:
    """Say why the client's data looks like questions that nobody answers; empty when it does not."""
    frames = [frame for flow in view.session.up for frame in flow.data if not frame.duplicate]
    if _regular(frames):
        return "They come once a second and have one size, like an unanswered ping."
    if len(longest_backoff(frame for frame in frames if frame.length <= CONNECTING)) > REPEATS:
        return "They have one size and growing pauses, like a connection that nobody accepts."
    return ""


def _streams(view: View) -> bool:
    """Whether the client sends mostly large packets: who waits for an answer that never comes does not get that far,
    but sound, pictures and log records need none."""
    sizes = [frame.length for flow in view.session.up for frame in flow.data if not frame.duplicate]
    return sum(size >= STREAMED for size in sizes) * 2 > len(sizes)


def _regular(frames: list[GreFrame]) -> bool:
    """Whether data looks like a ping: one size, about a second apart."""
    sizes = {frame.length for frame in frames}
    if len(frames) < LEAST or len(sizes) > 2:
        return False
    apart = [(later.place[0] - earlier.place[0]) / 1e9 for earlier, later in itertools.pairwise(frames)]
    steady = [gap for gap in apart if 0.8 <= gap <= 1.2]
    return len(steady) * 10 >= len(apart) * 7


def _only_broadcasts(view: View) -> bool:
    """Whether clear data goes to broadcast or multicast only, which nobody need answer."""
    frames = [frame.ppp for flow in view.session.up for frame in flow.data]
    targets = [_destination(ppp) for ppp in frames]
    known = [target for target in targets if target is not None]
    return bool(known) and all(target[0] >= 224 or target[3] == 255 for target in known)


def _destination(ppp: bytes) -> bytes | None:
    bare = ppp[2:] if ppp[:2] == b"\xff\x03" else ppp
    start = 1 if bare[:1] == b"\x21" else 2 if bare[:2] == b"\x00\x21" else 0
    target = bare[start + 16 : start + 20]
    return target if start and len(target) == 4 else None
