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
        network=("Is the line full? Is the path a detour or a satellite? mtr ADDRESS shows where the time goes.",),
        server=("Raise the receive window of the call where the server has one.",),
    ),
    references=("RFC 2637 section 4.4",),
)

SLOW = 0.3


def recognise(view: View) -> Iterator[Finding]:
    """Handshake and echoes; the smaller of both counts, as a slow server delays only one."""
    handshake = view.conversation.round_trip if view.conversation else None
    repeated_syn = bool(view.conversation and len(view.conversation.syns) > 1)
    echoes = echo_round_trips(view)
    middle = sorted(echoes)[len(echoes) // 2] if len(echoes) >= 3 else None
    measured = [value for value in (None if repeated_syn else handshake, middle) if value is not None]
    if measured and min(measured) >= SLOW:
        frames = [view.conversation.syns[0], view.conversation.syn_ack] if view.conversation and handshake else []
        why = f"An answer takes {min(measured) * 1000:.0f} ms."
        yield ENTRY.found(why, frames, certainty=0.8 if middle else 0.6, towards=Towards.BOTH)
