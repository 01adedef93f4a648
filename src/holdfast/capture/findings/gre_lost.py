"""GRE stops in the middle of a session while TCP lives."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.codes import Code

ENTRY = Entry(
    id="gre-lost",
    title="GRE stopped in the middle of the session",
    meaning="The tunnel worked, and then its packets stopped in one direction or both while the control connection "
    "lived on: a NAT or firewall forgot the GRE part of the session.",
    recognised="After the session was up: no GRE from one side for twelve seconds while the other keeps sending, and "
    "TCP port 1723 still alive; sooner when that side gives up after three LCP echoes without an answer; or "
    "the last four LCP echoes of one side unanswered while frames of the other still come.",
    severity=Severity.FAULT,
    windows_codes=(628, 629, 721, 829),
    fixes=Fixes(
        server=("LCP echo every 30 s keeps the state of NATs alive: lcp-echo-interval 30.",),
        network=(
            (
                "Keep GRE state longer: `sysctl net.netfilter.nf_conntrack_gre_timeout=600 "
                "net.netfilter.nf_conntrack_gre_timeout_stream=600`, and keep it in /etc/sysctl.d/."
            ),
        ),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4.4",),
    explains=ENDS,
)

SILENT, LEAST = 12.0, 3
ECHOES, ECHO_SECONDS = 4, 5.0
"""So many LCP echoes without an answer, over so many seconds, are no loss."""


def recognise(view: View) -> Iterator[Finding]:
    """One direction silent, the other not, TCP alive afterwards."""
    if not view.up or view.conversation is None:
        return
    yield from _unanswered_echoes(view)
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
        closed = view.conversation.fins + view.conversation.resets
        alive += [moment for moment, from_client in closed if from_client == by_client and moment > last]
        if len(asked) >= LEAST and alive:
            why = f"After frame {last.frame} no GRE came from {side(by_client)}, while the other side sent "
            why += (
                f"{len(asked)} more frames in {asked[-1].since(last):.0f} s; TCP still came (frame {alive[-1].frame})."
            )
            towards = Towards.SERVER if by_client else Towards.CLIENT
            yield ENTRY.found(why, [last, *asked, alive[-1]], certainty=0.85, towards=towards)
            return


def _unanswered_echoes(view: View) -> Iterator[Finding]:
    """A side's echoes are answered no more, although the other side still speaks: one direction is cut."""
    for by_client in (True, False):
        asked = _of_code(view, by_client, Code.ECHO_REQUEST)
        answers = {item.packet.identifier: item.moment for item in _of_code(view, not by_client, Code.ECHO_REPLY)}
        answered = [item for item in asked if answers.get(item.packet.identifier, item.moment) > item.moment]
        if not answered:
            continue
        silent = [item.moment for item in asked if item.moment > answered[-1].moment]
        alive = [moment for moment in _asked(view, not by_client, answered[-1].moment) if silent and moment > silent[0]]
        if len(silent) >= ECHOES and len(alive) >= LEAST and silent[-1].since(silent[0]) >= ECHO_SECONDS:
            who, other = side(by_client), side(not by_client)
            why = f"The last {len(silent)} LCP echoes of {who} got no answer, while {len(alive)} frames of {other} "
            why += f"came (frame {alive[-1].frame}): what {who} sends does not arrive."
            towards = Towards.SERVER if by_client else Towards.CLIENT
            yield ENTRY.found(why, [*silent, alive[-1]], certainty=0.8, towards=towards)
            return


def _of_code(view: View, by_client: bool, code: int) -> list[PppItem]:
    return [item for item in view.link.lcp.others if item.from_client == by_client and item.packet.code == code]


def _asked(view: View, by_client: bool, last: Moment) -> list[Moment]:
    """Frames that deserve an answer: LCP echoes and data."""
    items = [item.moment for item in view.link.items if item.from_client == by_client]
    data = [Moment(*frame.place) for flow in view.session.flows(by_client) for frame in flow.data]
    return sorted(moment for moment in {*items, *data} if moment > last)
