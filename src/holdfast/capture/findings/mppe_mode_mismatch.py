"""Stateless here, stateful there."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity
from holdfast.capture.findings.mppe_facts import asked_bits, failed, stateless_wishes
from holdfast.capture.findings.view import View, moments

ENTRY = Entry(
    id="mppe-mode-mismatch",
    title="One side wants stateless encryption, the other stateful",
    meaning="Both want the same strength and disagree about when keys change.",
    recognised="MPPE options with a common strength whose stateless bit differs, without agreement; or a "
    "Terminate-Request that names the mode.",
    severity=Severity.FAULT,
    windows_codes=(741, 742, 734),
    fixes=Fixes(
        server=("Prefer stateless: pppd: no mppe-stateful; accel-ppp and Windows use stateless anyway.",),
        client=("Leave mppe-stateful out of the options.",),
    ),
    references=("RFC 3078 section 2.1", "RFC 3078 section 8"),
    explains=ENDS | {"ipcp-no-agreement", "mppe-refused"},
)


def recognise(view: View) -> Iterator[Finding]:
    """Other modes, and no agreement."""
    ccp = view.link.ccp
    client, server = stateless_wishes(ccp.client), stateless_wishes(ccp.server)
    named = view.ending_with("stateful", "stateless")
    common = asked_bits(ccp.client) & asked_bits(ccp.server)
    if failed(view) and (named or (common and client and server and not client & server)):
        words = {True: "stateless", False: "stateful"}
        wishes = [" or ".join(words[wish] for wish in sorted(each)) or "nothing" for each in (client, server)]
        why = f"The client wants {wishes[0]}, the server {wishes[1]}."
        frames = [*moments([*ccp.client.requests, *ccp.server.requests]), named.moment if named else None]
        yield ENTRY.found(why, frames, certainty=0.85)
