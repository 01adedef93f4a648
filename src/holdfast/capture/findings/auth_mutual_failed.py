"""The server could not prove itself to the client."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="auth-mutual-failed",
    title="The server could not prove that it knows the password",
    meaning="With MS-CHAPv2 both sides prove themselves. The server accepted the client, but its own proof was wrong: "
    "it does not know the password (a fake server, or one that accepts anybody), or RADIUS damaged the proof.",
    recognised="A CHAP Success, and the client ends the link within two seconds without going on; or a "
    "Terminate-Request that says so.",
    severity=Severity.FAULT,
    windows_codes=(691, 742, 645),
    fixes=Fixes(
        server=("Does RADIUS return MS-CHAP2-Success unchanged? Are user name and domain the same on both sides?",),
        client=("Is this really the right server? Do not type the password again before that is clear.",),
    ),
    capture_next="Capture RADIUS at the server too: udp port 1812.",
    references=("RFC 2759 section 5", "RFC 2759 section 8.7"),
    explains=ENDS | {"ipcp-no-agreement", "mppe-refused"},
)

PHRASES = ("mutual authentication failed", "failed to authenticate ourselves", "success packet is badly formed")
QUICKLY = 2.0


def recognise(view: View) -> Iterator[Finding]:
    """Success from the server, goodbye from the client."""
    accepted = view.link.authentication.succeeded
    ending = next((each for each in view.link.endings if accepted and each.moment > accepted), None)
    if accepted is None or ending is None or not ending.from_client or view.up:
        return
    worded = any(phrase in ending.cause.text.lower() for phrase in PHRASES)
    went_on = [item for item in view.link.items if item.from_client and accepted < item.moment < ending.moment]
    quick = ending.moment.since(accepted) < QUICKLY
    plain = ending.cause.text.lower() in ("", "authentication failed") and quick and not went_on
    if worded or plain:
        why = "The client was accepted and ended the link itself"
        why += f": {ending.cause.text}" if ending.cause.text else " at once."
        certainty = 0.9 if worded else 0.65
        yield ENTRY.found(why, [accepted, ending.moment], certainty=certainty, towards=Towards.CLIENT)
