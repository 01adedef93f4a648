"""The control connection dies while the tunnel still works."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="control-lost",
    title="The control connection was lost",
    meaning="TCP port 1723 went dead in the middle of a session: reset, or no longer answered, usually because a "
    "firewall or NAT forgot it. Data may go on for a while; then one side ends everything.",
    recognised="After the call was up: a reset without any goodbye, an Echo-Request or data that stays unanswered "
    "while GRE goes on.",
    severity=Severity.FAULT,
    windows_codes=(628, 629, 807),
    fixes=Fixes(
        server=("Send control echoes more often than the NAT forgets: every 60 s is the default of RFC 2637.",),
        network=(
            (
                "Keep idle TCP connections longer: `sysctl net.netfilter.nf_conntrack_tcp_timeout_established=7200`. "
                "LCP echo keeps only the GRE part of a NAT alive, never the TCP part."
            ),
        ),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 3.1.4",),
    explains=frozenset({"server-ended", "client-ended"}),
)

UNANSWERED = 30.0
LIVED_ON = 5.0


def recognise(view: View) -> Iterator[Finding]:
    """A reset out of nothing, or silence on TCP while GRE lives."""
    conversation, granted = view.conversation, view.granted
    if conversation is None or granted is None or not view.up:
        return
    yield from _reset(view, granted)
    yield from _silent(view)


def _reset(view: View, granted: Moment) -> Iterator[Finding]:
    conversation = view.conversation
    if conversation is None or not conversation.resets:
        return
    moment, from_client = conversation.resets[0]
    goodbyes = [ending.moment for ending in view.link.endings] + [item.moment for item in view.session.stops]
    goodbyes += [item.moment for item in (view.call.clears if view.call else [])]
    goodbyes += [fin for fin, _ in conversation.fins]
    if moment > granted and not any(goodbye < moment for goodbye in goodbyes):
        who = side(from_client)
        why = f"A reset from {who} ended the control connection {moment.since(granted):.0f} s after the call began, "
        why += "without any goodbye."
        yield ENTRY.found(why, [moment], certainty=0.9, towards=Towards.SERVER if from_client else Towards.CLIENT)


def _silent(view: View) -> Iterator[Finding]:
    conversation = view.conversation
    if conversation is None or conversation.resets or conversation.fins:
        return
    for by_client in (True, False):
        repeats = conversation.retransmissions[by_client]
        answers = [item.moment for item in conversation.items if item.from_client != by_client]
        late = [moment for moment in repeats if not any(answer > moment for answer in answers)]
        lives = view.session.last_gre(not by_client)
        if len(late) >= 3 and late[-1].since(late[0]) >= 2 and lives and lives.since(late[0]) > LIVED_ON:
            why = (
                f"{side(by_client).capitalize()} repeats a message {len(late)} times and TCP never confirms it, while "
            )
            why += f"GRE from the other side goes on for {lives.since(late[0]):.0f} s."
            towards = Towards.SERVER if by_client else Towards.CLIENT
            yield ENTRY.found(why, [*late[:8], lives], certainty=0.85, towards=towards)
