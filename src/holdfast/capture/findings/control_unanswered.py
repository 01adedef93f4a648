"""TCP opens on 1723, and PPTP is never answered."""

from collections.abc import Iterator

from holdfast.capture.calls import first_of
from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.tcp import Conversation
from holdfast.control.messages import StartControlConnectionRequest

ENTRY = Entry(
    id="control-unanswered",
    title="The connection opens, and PPTP is never answered",
    meaning="Something accepts connections on port 1723 and then says nothing: a hanging server, a port forward to "
    "the wrong machine, a firewall that answers for a dead one, or a path that loses the first message.",
    recognised="A complete handshake, a Start-Control-Connection-Request, and nothing from the server; or TCP numbers "
    "that tell of octets which one side sent, and which neither came by nor were acknowledged.",
    severity=Severity.FAULT,
    windows_codes=(800, 806, 809),
    fixes=Fixes(
        server=(
            "Restart the PPTP service, and look at its log for that second.",
            "strace or gdb a process that hangs.",
        ),
        network=(
            "Does the port forward point at the PPTP server? Does a proxy answer the handshake?",
            (
                "Where TCP repeats the data: does the path let small packets pass only? `ping -M do -s 200 SERVER` "
                "(Windows: `ping -f -l 200 SERVER`). Switch a firewall's PPTP inspection off to compare."
            ),
        ),
    ),
    capture_next=advice.CAPTURE_SERVER,
    references=("RFC 2637 section 3.1.3",),
    explains=frozenset({"capacity-reached"}),
)

PATIENCE, GAVE_UP = 5.0, 2.0
"""Seconds without an answer, and those after which a client that hangs up has waited in vain, and not just left."""


def recognise(view: View) -> Iterator[Finding]:
    """A request into nothing."""
    conversation = view.conversation
    asked = first_of(conversation, StartControlConnectionRequest)
    if conversation is None or _answered(conversation) or not conversation.syn_ack:
        return
    if conversation.swallowed:
        yield from _swallowed(conversation)
        return
    if asked is None:
        return
    waited = view.lived_after(asked[0].moment)
    shut = conversation.ended is not None and not conversation.ended[1]
    left = conversation.ended is not None and conversation.ended[1]
    if left and waited < GAVE_UP:
        return
    if waited < PATIENCE and not shut and not left and view.watched_after(asked[0].moment) < PATIENCE:
        return
    if shut and waited < PATIENCE:
        return  # closed at once: a server without room, or one that does not want this client
    why = f"The request of frame {asked[0].moment.frame} got no answer in {waited:.1f} s."
    frames = [asked[0].moment, *conversation.retransmissions[True][:4]]
    unreached = bool(conversation.retransmissions[True])
    if unreached:
        why += " TCP had to repeat it: the path lets the handshake pass and not the data (perhaps an MTU problem)."
    towards = Towards.SERVER if unreached else Towards.CLIENT
    yield ENTRY.found(why, frames, certainty=0.85 if waited >= PATIENCE else 0.65, towards=towards)


def _swallowed(conversation: Conversation) -> Iterator[Finding]:
    """Name what one side sent and nobody got; of both sides, the client's, which comes first."""
    by_client = True in conversation.swallowed
    octets, moment = conversation.swallowed[by_client]
    why = (
        f"By the numbers of frame {moment.frame}, {side(by_client)} sent {octets} octets that never came by here, and "
    )
    why += f"{side(not by_client)} never acknowledged them: the path lets the handshake pass and not the data "
    why += "(perhaps an MTU problem, or a firewall that looks into PPTP)."
    towards = Towards.SERVER if by_client else Towards.CLIENT
    yield ENTRY.found(why, [conversation.syn_ack, moment], certainty=0.85, towards=towards)


def _answered(conversation: Conversation) -> bool:
    """Whether the server said anything before the client gave up; what comes later comes too late."""
    end = conversation.ended
    given_up = end[0] if end and end[1] else None
    return any(given_up is None or moment < given_up for moment in conversation.payload[False])
