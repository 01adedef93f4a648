"""Somebody only looked whether the port is open."""

from collections.abc import Iterator

from holdfast.capture.findings import capacity_reached
from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="port-check",
    title="Only a look at the port",
    meaning="A connection was opened and closed without a word: a monitoring check or a scanner. Harmless, but note "
    "that it proves nothing about PPTP: GRE is another matter.",
    recognised="A handshake and an end by the client, or by a server that waited in vain, without payload.",
    severity=Severity.NOTE,
    references=("RFC 2637 section 1.4",),
)


def recognise(view: View) -> Iterator[Finding]:
    """Open, close."""
    conversation = view.conversation
    if conversation is None or not conversation.syn_ack or conversation.ended is None:
        return
    if any(conversation.payload.values()) or conversation.swallowed:
        return
    moment, by_client = conversation.ended
    waited = moment.since(conversation.syn_ack)
    if by_client:
        why = f"Connected and closed again after {waited:.1f} s, without data."
    elif waited > capacity_reached.AT_ONCE:
        why = f"Connected and said nothing for {waited:.1f} s; then the server closed."
    else:
        return
    yield ENTRY.found(why, [conversation.syn_ack, moment], certainty=0.9 if by_client else 0.7)
