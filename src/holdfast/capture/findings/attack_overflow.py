"""A frame made to break PPP programs."""

from collections.abc import Iterator

from holdfast._native import GreFrame
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment
from holdfast.capture.words import counted
from holdfast.ppp.framing import Protocol, split

ENTRY = Entry(
    id="attack-overflow",
    title="A packet that is built to break into PPP programs",
    meaning="This packet carries an EAP name far too long for the buffer that old pppd versions have for it "
    "(CVE-2020-8597). Somebody tries to take over the other end.",
    recognised="An EAP MD5-Challenge whose name is longer than 200 octets; also GRE with a payload and no sequence "
    "number, as no PPTP program sends it.",
    severity=Severity.WARNING,
    fixes=Fixes(
        server=("Update pppd to 2.4.9 or later on both ends; no PPTP server needs EAP-MD5.",),
        network=("Drop GRE from addresses without a control connection.",),
    ),
    references=("CVE-2020-8597", "RFC 2637 section 4.1"),
)

EAP_HEADER, MD5_CHALLENGE, NAME_MOST = 4, 4, 200


def recognise(view: View) -> Iterator[Finding]:
    """Unnumbered payload, and EAP with an endless name; the length fields of an attack need not be right."""
    frames = [frame for flow in view.session.up + view.session.down for frame in flow.negotiation]
    attacks = [(Moment(*frame.place), length) for frame in frames if (length := _name_length(frame)) > NAME_MOST]
    unnumbered = [Moment(*frame.place) for frame in frames if frame.unnumbered]
    if attacks:
        why = (
            f"{counted(len(attacks), 'EAP packet')} with a name of up to {max(length for _, length in attacks)} octets."
        )
        yield ENTRY.found(why, [moment for moment, _ in attacks], certainty=0.95)
    elif unnumbered:
        why = f"{len(unnumbered)} GRE packets have a payload and no sequence number."
        yield ENTRY.found(why, unnumbered, certainty=0.4, severity=Severity.NOTE)


def _name_length(frame: GreFrame) -> int:
    """Return the length of the name in an EAP MD5-Challenge, 0 for everything else."""
    found = split(frame.ppp)
    if found is None or found.protocol != Protocol.EAP:
        return 0
    data = found.information[EAP_HEADER:]
    if found.information[:1] not in (b"\x01", b"\x02") or len(data) < 2 or data[0] != MD5_CHALLENGE:
        return 0
    return len(data) - 2 - data[1]
