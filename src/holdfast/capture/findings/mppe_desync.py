"""Encryption gets out of step, or the keys differ."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, moments, side
from holdfast.capture.moment import Moment
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol

ENTRY = Entry(
    id="mppe-desync",
    title="The two sides cannot decrypt each other",
    meaning="Encryption is on, but what one side encrypts the other cannot read: keys differ, or after a loss the two "
    "are out of step. The tunnel looks up, and nothing works.",
    recognised="CCP Reset-Requests; LCP Protocol-Rejects of nonsense right after encryption began; a Terminate-Request "
    "that says so.",
    severity=Severity.FAULT,
    windows_codes=(741, 742, 734, 720),
    fixes=Fixes(
        server=(
            "Use stateless mode, which survives loss: no mppe-stateful.",
            "Different keys: does RADIUS hand out the keys of this user? Is its shared secret right?",
        ),
        client=("Reconnect; if it comes back at once, the password known to the server differs in some way.",),
    ),
    capture_next="Diagnose with the user's own password to see which side is wrong: --password-stdin.",
    references=("RFC 3078 section 9", "RFC 3078 section 10"),
    explains=ENDS | {"no-return-traffic"},
)

PHRASES = ("too many mppe errors", "lost compression sync", "mppe error")
MANY_RESETS = 3


def recognise(view: View) -> Iterator[Finding]:
    """Resets, rejected nonsense, or plain words."""
    opened = view.link.mppe
    ending = view.ending_with(*PHRASES)
    if ending:
        yield ENTRY.found(ending.cause.text, [ending.moment], certainty=0.95)
        return
    if opened is None:
        return
    yield from _opaque(view)
    nonsense = [item for item in view.link.lcp.others if _rejects_nonsense(item.packet.code, item.packet.data)]
    nonsense = [item for item in nonsense if item.moment > opened.opened]
    resets = view.link.resets
    if len(nonsense) >= 2:
        why = (
            f"{side(nonsense[0].from_client).capitalize()} rejects protocols that nobody sent ({len(nonsense)} times): "
        )
        why += "it decrypts to nonsense, so the keys differ."
        towards = Towards.CLIENT if nonsense[0].from_client else Towards.SERVER
        yield ENTRY.found(why, moments(nonsense), certainty=0.9, towards=towards)
    elif resets:
        many = len(resets) >= MANY_RESETS
        why = f"{len(resets)} CCP Reset-Request{'s' if len(resets) > 1 else ''} by {side(resets[0].from_client)}: "
        why += "a loss made stateful encryption start over."
        towards = Towards.CLIENT if resets[0].from_client else Towards.SERVER
        severity = Severity.WARNING if many else Severity.NOTE
        yield ENTRY.found(why, moments(resets), certainty=0.9, towards=towards, severity=severity)


def _opaque(view: View) -> Iterator[Finding]:
    """With the right password at hand: what cannot be deciphered was encrypted with another key."""
    inside = view.session.inside
    if inside is None or not inside.password_fits:
        return
    for up, count in inside.opaque.items():
        clear = sum(packet.up == up for packet in inside.packets)
        if count >= MANY_RESETS and count > clear:
            why = f"{count} packets of {side(up)} do not decipher with the keys of this very password, {clear} do."
            frames = [Moment(*frame.place) for flow in view.session.flows(up) for frame in flow.data[:8]]
            yield ENTRY.found(why, frames, certainty=0.9, towards=Towards.SERVER if up else Towards.CLIENT)


KNOWN = frozenset(Protocol) | {0x8281, 0x80FB, 0x802B, 0x803F, 0x0281, 0xC02B, 0x8071}


def _rejects_nonsense(code: int, data: bytes) -> bool:
    return code == Code.PROTOCOL_REJECT and len(data) >= 2 and int.from_bytes(data[:2]) not in KNOWN
