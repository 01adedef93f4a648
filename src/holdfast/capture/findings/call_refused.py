"""The server refuses the call."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.control.codes import GeneralError, IncomingCallResult, OutgoingCallResult
from holdfast.control.messages import IncomingCallReply, OutgoingCallReply

ENTRY = Entry(
    id="call-refused",
    title="The call is refused",
    meaning="The control connection works, and the server says no to the tunnel itself.",
    recognised="An Outgoing-Call-Reply (or Incoming-Call-Reply) whose Result Code is not 1.",
    severity=Severity.FAULT,
    windows_codes=(800, 619, 676),
    fixes=Fixes(
        server=(
            (
                "The result says: 3 and 5 the far line is down, 4 all are busy, 6 it took too long, "
                "7 it is forbidden by configuration."
            ),
            advice.SERVER_LOG,
        ),
        client=("Try again later when the server says busy or time-out.",),
    ),
    references=("RFC 2637 section 2.8", "RFC 2637 section 2.10", "RFC 2637 section 2.16"),
)


def recognise(view: View) -> Iterator[Finding]:
    """A reply that does not grant the call."""
    call = view.call
    if call is None or call.reply is None or call.granted:
        return
    message = call.reply.message
    if isinstance(message, OutgoingCallReply):
        result = OutgoingCallResult.describe(message.result_code)
    elif isinstance(message, IncomingCallReply):
        result = IncomingCallResult.describe(message.result_code)
    else:
        return
    why = f"Result Code {result}, error code {GeneralError.describe(message.error_code)}."
    frames = [call.request.moment if call.request else None, call.reply.moment]
    towards = Towards.SERVER if call.reply.from_client else Towards.CLIENT
    yield ENTRY.found(why, frames, certainty=0.98, towards=towards)
