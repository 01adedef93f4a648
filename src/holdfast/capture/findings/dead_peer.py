"""The other end is gone."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment
from holdfast.ppp.codes import Code

ENTRY = Entry(
    id="dead-peer",
    title="The other end is gone",
    meaning="In the middle of a session one side stops answering everything: it crashed, lost power or its network.",
    recognised="After the session was up: nothing more from one side while the other keeps asking (LCP echoes, data, "
    "repeated TCP) for twelve seconds, or gives up after three LCP echoes; or a Terminate-Request that says that the "
    "peer does not respond.",
    severity=Severity.FAULT,
    windows_codes=(628, 629, 829),
    fixes=Fixes(
        server=("LCP echo ends such sessions: `lcp-echo-interval 30, lcp-echo-failure 4`.",),
        network=(
            (
                "Packets lost in a burst before the end mean a bad line and a peer that lives: mend the last mile, and "
                "ask more often before giving up (`lcp-echo-failure 5`)."
            ),
        ),
        client=("Use a client that reconnects by itself, as holdfast dial does.",),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 1661 section 5.8", "RFC 2637 section 3.1.4"),
    explains=ENDS | {"gre-lost", "control-lost"},
)

PHRASES = ("peer not responding", "peer is not responding", "no response to")
SILENT, ASKS = 12.0, 3


def recognise(view: View) -> Iterator[Finding]:
    """Silence on both channels of one side."""
    ending = view.ending_with(*PHRASES)
    if ending and view.up:
        who = side(not ending.from_client)
        why = f"{side(ending.from_client).capitalize()} gives up: {ending.cause.text}; {who} had stopped answering."
        towards = Towards.CLIENT if ending.from_client else Towards.SERVER
        yield ENTRY.found(why, [ending.moment], certainty=0.95, towards=towards)
        return
    if not view.up:
        return
    for by_client in (True, False):
        last = _last_word(view, by_client)
        if last is None:
            continue
        asked = _asked_after(view, not by_client, last)
        patient = bool(asked) and asked[-1].since(last) >= SILENT
        if len(asked) >= ASKS and (patient or view.gave_up(not by_client, last)):
            why = f"{side(by_client).capitalize()} said nothing after frame {last.frame}, while the other side asked "
            why += f"{len(asked)} times in {asked[-1].since(last):.0f} s, on the tunnel or on TCP."
            towards = Towards.SERVER if by_client else Towards.CLIENT
            yield ENTRY.found(why, [last, *asked], certainty=0.85, towards=towards)
            return


def _last_word(view: View, by_client: bool) -> Moment | None:
    """The last that a side sent on either channel; None while only one channel is in the capture."""
    gre = view.session.last_gre(by_client)
    if view.conversation is None or gre is None or not view.session.last_gre(not by_client):
        return None
    tcp = [item.moment for item in view.conversation.items if item.from_client == by_client]
    tcp += view.conversation.retransmissions[by_client]
    tcp += [
        moment for moment, from_client in view.conversation.fins + view.conversation.resets if from_client == by_client
    ]
    return max([gre, *tcp])


def _answers_data(view: View, by_client: bool) -> bool:
    """Whether a side has answered data before: Linux' kernel acknowledges only along with data of its own, so that
    broadcasts, for which there is none, are met with silence by a server that lives."""
    flows = view.session.flows(by_client)
    return any(flow.acks_only for flow in flows) or view.session.data_packets(by_client) > 0


def _asked_after(view: View, by_client: bool, last: Moment) -> list[Moment]:
    echoes = [item.moment for item in view.link.lcp.others if item.packet.code == Code.ECHO_REQUEST]
    echoes = [item.moment for item in view.link.lcp.others if item.from_client == by_client and item.moment in echoes]
    data = [
        Moment(*frame.place)
        for flow in view.session.flows(by_client)
        if flow.last >= last and _answers_data(view, not by_client)
        for frame in flow.data
        if frame.place[0] >= last.nanoseconds
    ]
    repeats = view.conversation.retransmissions[by_client] if view.conversation else []
    ends = [ending.moment for ending in view.link.endings if ending.from_client == by_client]
    return sorted(moment for moment in {*echoes, *data, *repeats, *ends} if moment > last)
