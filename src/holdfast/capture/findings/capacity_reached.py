"""The server has no room for another client."""

from collections.abc import Iterator

from holdfast.capture.calls import first_of
from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.control.messages import OutgoingCallReply, StartControlConnectionReply, StartControlConnectionRequest

ENTRY = Entry(
    id="capacity-reached",
    title="The server has no room left",
    meaning="The server says, or shows by hanging up at once, that it takes no more connections.",
    recognised="A call refused as busy or for lack of resources; or the server closes TCP within two seconds of a "
    "correct first message without answering it.",
    severity=Severity.FAULT,
    windows_codes=(800, 807, 619),
    fixes=Fixes(
        server=(
            (
                "Raise the limit: pptpd.conf: connections and remoteip must hold enough addresses; "
                "Holdfast: more addresses in the pool, a higher session limit."
            ),
            "Do old sessions hang? LCP echo ends dead ones: `lcp-echo-interval 30, lcp-echo-failure 4`.",
        ),
    ),
    capture_next=advice.SERVER_LOG,
    references=("RFC 2637 section 2.8", "RFC 2637 section 2.16"),
    explains=frozenset({"call-refused", "control-rejected"}),
)

NO_RESOURCE, BUSY, GENERAL = 4, 4, 2
AT_ONCE = 2.0
"""Seconds after the handshake; a server that waits for a first message closes later."""


def recognise(view: View) -> Iterator[Finding]:
    """Busy, no resources, or a door closed at once."""
    reply = view.call.reply if view.call else None
    if reply and isinstance(reply.message, OutgoingCallReply) and _no_room(reply.message):
        why = f"The server refused the call: {reply.message.fields_text()}"
        yield ENTRY.found(why, [reply.moment], certainty=0.9, towards=Towards.CLIENT)
        return
    started = first_of(view.conversation, StartControlConnectionReply)
    if started and started[1].result_code == GENERAL and started[1].error_code == NO_RESOURCE:
        yield ENTRY.found(
            "The server refused the connection for lack of resources.",
            [started[0].moment],
            certainty=0.9,
            towards=Towards.CLIENT,
        )
        return
    yield from _door_closed(view)


def _no_room(reply: OutgoingCallReply) -> bool:
    return reply.result_code == BUSY or (reply.result_code == GENERAL and reply.error_code == NO_RESOURCE)


def _door_closed(view: View) -> Iterator[Finding]:
    conversation = view.conversation
    asked = first_of(conversation, StartControlConnectionRequest)
    if conversation is None or conversation.payload[False] or conversation.ended is None or not conversation.syn_ack:
        return
    moment, from_client = conversation.ended
    if from_client or moment.since(conversation.syn_ack) > AT_ONCE or conversation.swallowed:
        return
    why = "The server closed the connection at once, before any answer, as a server without free slots does."
    frames = [asked[0].moment if asked else None, moment]
    yield ENTRY.found(why, frames, certainty=0.55, towards=Towards.CLIENT)
