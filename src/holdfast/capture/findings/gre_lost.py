"""GRE stops in the middle of a session while TCP lives."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-lost",
    title="GRE stopped in the middle of the session",
    meaning="The tunnel worked, and then its packets stopped in one direction or both while the control connection "
    "lived on: a NAT or firewall forgot the GRE part of the session.",
    recognised="After the session was up: no GRE from one side for twelve seconds while the other keeps sending, and "
    "TCP port 1723 still alive; sooner when that side gives up after three LCP echoes without an answer.",
    severity=Severity.FAULT,
    windows_codes=(628, 629, 721, 829),
    fixes=Fixes(
        server=("LCP echo every 30 s keeps the state of NATs alive: lcp-echo-interval 30.",),
        network=(
            (
                "Keep GRE state longer: `sysctl net.netfilter.nf_conntrack_gre_timeout_stream=600` and "
                "`net.netfilter.nf_conntrack_gre_timeout=120`."
            ),
        ),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4.4",),
    explains=ENDS,
)

SILENT, LEAST = 12.0, 3


def recognise(view: View) -> Iterator[Finding]:
    """One direction silent, the other not, TCP alive afterwards."""
    if not view.up or view.conversation is None:
        return
    for by_client in (True, False):
        last, other = view.session.last_gre(by_client), view.session.last_gre(not by_client)
        if last is None or other is None:
            continue
        if other.since(last) < SILENT and not view.gave_up(not by_client, last):
            continue
        asked = _asked(view, not by_client, last)
        alive = [
            item.moment for item in view.conversation.items if item.from_client == by_client and item.moment > last
        ]
        alive += [fin for fin, from_client in view.conversation.fins if from_client == by_client and fin > last]
        if len(asked) >= LEAST and alive:
            why = f"After frame {last.frame} no GRE came from {side(by_client)}, while the other side sent "
            why += (
                f"{len(asked)} more frames in {asked[-1].since(last):.0f} s; TCP still came (frame {alive[-1].frame})."
            )
            towards = Towards.SERVER if by_client else Towards.CLIENT
            yield ENTRY.found(why, [last, *asked, alive[-1]], certainty=0.85, towards=towards)
            return


def _asked(view: View, by_client: bool, last: Moment) -> list[Moment]:
    """Frames that deserve an answer: LCP echoes and data."""
    items = [item.moment for item in view.link.items if item.from_client == by_client]
    data = [Moment(*frame.place) for flow in view.session.flows(by_client) for frame in flow.data]
    return sorted(moment for moment in {*items, *data} if moment > last)
