"""The server refuses the control connection."""

from collections.abc import Iterator

from holdfast.capture.calls import first_of
from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.control.codes import StartResult
from holdfast.control.messages import StartControlConnectionReply

ENTRY = Entry(
    id="control-rejected",
    title="The server refuses the control connection",
    meaning="The server understands PPTP and says no before any user name is sent: this client may not connect, "
    "is connected already, or speaks another version.",
    recognised="A Start-Control-Connection-Reply whose Result Code is not 1, or another protocol version.",
    severity=Severity.FAULT,
    windows_codes=(800, 807, 678),
    fixes=Fixes(
        server=(
            (
                "Result 4: allow this client's address. Result 3: end the old connection of this client. "
                "Result 5: the versions differ; RFC 2637 knows only 1.0."
            ),
        ),
        client=("Result 3: wait a minute, or restart the router in between, so that the old connection ends.",),
    ),
    capture_next=advice.SERVER_LOG,
    references=("RFC 2637 section 2.2",),
)


def recognise(view: View) -> Iterator[Finding]:
    """A refusal, or a version that is not ours."""
    reply = first_of(view.conversation, StartControlConnectionReply)
    if reply is None:
        return
    item, message = reply
    if message.result_code != StartResult.OK:
        why = f"Result Code {StartResult.describe(message.result_code)}, error code {message.error_code}."
        yield ENTRY.found(why, [item.moment], certainty=0.98, towards=Towards.CLIENT)
