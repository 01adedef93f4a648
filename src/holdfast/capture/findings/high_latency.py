"""The other end is far away in time."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.echo_times import echo_round_trips
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="high-latency",
    title="The way is slow",
    meaning="An answer takes a third of a second or more. The tunnel works, but everything interactive feels slow, and "
    "a PPTP window that is too small limits the speed.",
    recognised="A TCP handshake or LCP echoes that take 300 ms or longer.",
    severity=Severity.WARNING,
    windows_codes=(807,),
    fixes=Fixes(
        network=("Is the line full? Is the path a detour or a satellite? `mtr ADDRESS` shows where the time goes.",),
        server=("Raise the receive window of the call where the server has one.",),
    ),
    references=("RFC 2637 section 4.4",),
)

SLOW, ECHOES = 0.3, 3


def recognise(view: View) -> Iterator[Finding]:
    """The handshake, which no program slows down; without it the LCP echoes."""
    conversation = view.conversation
    handshake = conversation.round_trip if conversation else None
    if conversation is not None and handshake is not None:
        if handshake >= SLOW:
            frames = [conversation.syns[0], conversation.syn_ack, conversation.established]
            yield ENTRY.found(
                f"The handshake takes {handshake * 1000:.0f} ms.", frames, certainty=0.8, towards=Towards.BOTH
            )
        return
    echoes = sorted(echo_round_trips(view))
    if len(echoes) >= ECHOES and echoes[len(echoes) // 2] >= SLOW:
        why = f"An LCP echo takes {echoes[len(echoes) // 2] * 1000:.0f} ms."
        yield ENTRY.found(why, certainty=0.7, towards=Towards.BOTH)
