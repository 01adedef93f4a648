"""The capture shows packets twice; the network does not."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="capture-duplicates",
    title="The capture shows packets twice",
    meaning="The capture was made at a mirror port, on several interfaces or on the air, and has many packets twice. "
    "That is a matter of the capture, not of the VPN; what is counted here leaves the copies out.",
    recognised="Most packets of a direction twice, copies with another TTL, 802.11 retries, or copies on TCP; or a "
    "session with the same TCP numbers or the same GRE frames as another one, begun within a second of it.",
    severity=Severity.NOTE,
    capture_next="Capture on one interface: tcpdump -i eth0 instead of -i any, or mirror only one direction.",
)

MOST = 0.6
LEAST = 5


def made_by_capture(view: View, up: bool) -> bool:
    """Whether the copies in a direction come from the capture."""
    flows = view.session.flows(up)
    copies = sum(flow.copies for flow in flows)
    single = max(sum(flow.packets for flow in flows) - copies, 1)
    other_ttl = sum(flow.copies_other_ttl for flow in flows)
    return copies > 0 and (copies / single >= MOST or other_ttl * 2 >= copies)


def recognise(view: View) -> Iterator[Finding]:
    """Copies that the capture made, or the whole session on both sides of a NAT."""
    if (twin := view.session.twin_of) is not None:
        why = f"This session is {twin.id} seen again behind a translation of addresses: {twin.client} -> {twin.server} "
        why += f"on one side, {view.session.client} -> {view.session.server} on the other."
        yield ENTRY.found(why, [view.session.started, twin.started], certainty=0.95)
    flows = view.session.up + view.session.down
    wireless = sum(flow.copies_wireless for flow in flows)
    tcp = view.conversation.copied if view.conversation else []
    mirrored = [up for up in (True, False) if made_by_capture(view, up)]
    if wireless:
        frames = [Moment(*frame.place) for flow in flows for frame in flow.data if frame.wireless_retry]
        why = f"{wireless} GRE packets are 802.11 retransmissions: the radio repeats, the VPN does not."
        yield ENTRY.found(why, frames, certainty=0.95)
    elif mirrored or len(tcp) >= LEAST:
        counts = [(sum(flow.copies for flow in flows), "GRE packet"), (len(tcp), "TCP segment")]
        said = " and ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts if number)
        yield ENTRY.found(f"The capture shows {said} twice.", tcp, certainty=0.9)
