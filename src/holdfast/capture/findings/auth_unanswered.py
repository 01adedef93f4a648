"""The server never says whether it accepts the user."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="auth-unanswered",
    title="The authentication is never decided",
    meaning="The client proved itself and the server says neither yes nor no: what it asks (RADIUS, a directory) is "
    "slow or does not answer.",
    recognised="A CHAP Response or PAP request without an answer for five seconds, then the end.",
    severity=Severity.FAULT,
    windows_codes=(718, 930, 619),
    fixes=Fixes(
        server=(
            "Does RADIUS answer? `radtest USER PASSWORD SERVER 0 SECRET`. Raise its timeout or add a second server.",
        ),
    ),
    capture_next="Capture RADIUS at the server too: udp port 1812.",
    references=("RFC 1994 section 4.1",),
    explains=ENDS - {"auth-unanswered"},
)

PATIENCE = 5.0


def recognise(view: View) -> Iterator[Finding]:
    """An attempt without a result."""
    attempts = [attempt for attempt in view.link.authentication.attempts if attempt.by_client]
    if not attempts or attempts[-1].accepted is not None or view.up or view.half:
        return
    last = attempts[-1].sent.moment
    if view.link.authentication.eap and not view.link.authentication.eap[-1].from_client:
        return  # the server asked on, and the client said nothing more
    waited = view.lived_after(last)
    if waited >= PATIENCE:
        why = f"The answer to {attempts[-1].sent.name} (frame {last.frame}) did not come in {waited:.0f} s."
        yield ENTRY.found(why, [last], certainty=0.75, towards=Towards.CLIENT)
