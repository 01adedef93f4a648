"""Somebody only looked whether the port is open."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Severity
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="port-check",
    title="Only a look at the port",
    meaning="A connection was opened and closed without a word: a monitoring check or a scanner. Harmless, but note "
    "that it proves nothing about PPTP: GRE is another matter.",
    recognised="A handshake and an end by the client, without payload.",
    severity=Severity.NOTE,
    references=("RFC 2637 section 1.4",),
)


def recognise(view: View) -> Iterator[Finding]:
    """Open, close."""
    conversation = view.conversation
    if conversation is None or not conversation.syn_ack or conversation.payload[True] or conversation.payload[False]:
        return
    if conversation.ended and conversation.ended[1]:
        why = (
            f"Connected and closed again after {conversation.ended[0].since(conversation.syn_ack):.1f} s, without data."
        )
        yield ENTRY.found(why, [conversation.syn_ack, conversation.ended[0]], certainty=0.9)
