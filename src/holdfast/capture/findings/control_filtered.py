"""TCP port 1723 does not answer at all."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment
from holdfast.capture.tcp import Conversation
from holdfast.capture.words import counted

ENTRY = Entry(
    id="control-filtered",
    title="TCP port 1723 does not answer",
    meaning="The client knocks and nothing comes back: a firewall drops the packets, or nobody has that address.",
    recognised="SYNs without any answer, repeated or followed by at least three silent seconds; or ICMP saying that "
    "the packet was prohibited.",
    severity=Severity.FAULT,
    windows_codes=(800, 809),
    fixes=Fixes(
        server=(
            (
                "Open TCP 1723: `nft insert rule inet filter input tcp dport 1723 accept` (table and chain as "
                "`nft list ruleset` names them), or `iptables -I INPUT -p tcp --dport 1723 -j ACCEPT`."
            ),
        ),
        network=("Forward TCP 1723 (and GRE) to the server if it is behind a router; ask the provider about filters.",),
        client=("Is the address right and the server up? `ping SERVER`; `nc -vz SERVER 1723`.", advice.OTHER_NETWORK),
    ),
    capture_next=advice.CAPTURE_SERVER,
    references=("RFC 9293 section 3.10", "RFC 792"),
)

PROHIBITED = {(3, 9), (3, 10), (3, 13), (1, 1)}
PATIENCE, REPEATS = 3.0, 2


def recognise(view: View) -> Iterator[Finding]:
    """SYNs into nothing."""
    conversation = view.conversation
    answered = conversation and (conversation.resets or any(conversation.payload.values()))
    if conversation is None or not conversation.syns or answered:
        return
    if conversation.syn_ack:
        yield from _answer_lost(view, conversation)
        return
    told = [notice for notice in view.icmp_tcp if (notice.kind, notice.code) in PROHIBITED]
    if told:
        why = f"{told[0].source} says by ICMP that connecting to port 1723 is prohibited."
        frames = [*conversation.syns, *(Moment(*notice.first) for notice in told)]
        yield ENTRY.found(why, frames, certainty=0.97, towards=Towards.SERVER)
        return
    waited = view.watched_after(conversation.syns[0])
    if view.icmp_tcp or waited < PATIENCE:
        return
    tries = len(conversation.syns)
    why = f"{tries} SYN{'s' if tries > 1 else ''} in {waited:.1f} s, and nothing came back."
    certainty = 0.9 if tries >= 3 else 0.75 if tries == 2 else 0.6
    yield ENTRY.found(why, conversation.syns, certainty=certainty, towards=Towards.BOTH)


def _answer_lost(view: View, conversation: Conversation) -> Iterator[Finding]:
    """Recognise, near the server, that its answers do not arrive: the client keeps asking for what was granted."""
    answer = conversation.syn_ack
    if answer is None or conversation.established or conversation.fins or view.watched_after(answer) < PATIENCE:
        return
    again = [syn for syn in conversation.syns if syn > answer]
    if len(again) + len(conversation.syn_acks_again) >= REPEATS:
        tries = f"the client repeats its SYN {counted(len(again), 'time')}" if again else "no ACK follows"
        answers = 1 + len(conversation.syn_acks_again)
        why = f"The server answers {counted(answers, 'time')}, and {tries}: the answers do not reach it."
        frames = [answer, *again, *conversation.syn_acks_again]
        yield ENTRY.found(why, frames, certainty=0.85, towards=Towards.CLIENT)
