"""A router says that the tunnel's packets are too large."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="mtu-too-big",
    title="The tunnel's packets are too large for the path",
    meaning="A router on the way cannot pass packets of this size and says so. Unless both ends listen and shrink, "
    "small things work and large ones stall.",
    recognised="ICMP fragmentation needed (ICMPv6 packet too big) that quotes GRE of this session.",
    severity=Severity.FAULT,
    windows_codes=(807,),
    fixes=Fixes(
        server=(advice.MTU_1400, advice.CLAMP),
        network=("Let ICMP type 3 code 4 pass to both ends.", "PPPoE on the way: at most 1448 inside the tunnel."),
        client=(advice.MTU_WINDOWS,),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 1191", "RFC 2637 section 4"),
    explains=frozenset({"mtu-black-hole"}),
)

OVERHEAD, LEAST = 44, 500
"""Octets at most of IP, GRE, PPP and MPPE around an inner packet, and the smallest MTU that is worth naming."""
TOO_BIG = {(False, 3, 4), (True, 2, 0)}


def recognise(view: View) -> Iterator[Finding]:
    """ICMP type 3 code 4."""
    for notice in view.session.icmp:
        if (notice.version_6, notice.kind, notice.code) not in TOO_BIG:
            continue
        up = notice.quoted_source == view.session.client
        fits = f"at most {notice.mtu} octets fit" if notice.mtu else "it does not say how many octets fit"
        why = f"{notice.source} cannot pass a packet of {notice.quoted_length} octets: {fits} ({notice.count}x)."
        inside = notice.mtu - OVERHEAD if notice.mtu else 0
        why += f" An MTU of {inside} inside the tunnel would." if inside > LEAST else ""
        small = LEAST < inside < advice.ROOMY
        severity = Severity.FAULT if notice.count >= 2 else Severity.WARNING
        towards = Towards.SERVER if up else Towards.CLIENT
        frames = [Moment(*notice.first), Moment(*notice.last)]
        fixes = _fixes(inside) if small else None
        yield ENTRY.found(why, frames, certainty=0.95, severity=severity, towards=towards, fixes=fixes)
        return


def _fixes(size: int) -> Fixes:
    """What fits a path that is narrower than usual."""
    mend = ("Better: find the hop that is so narrow, and mend it.",)
    return Fixes((advice.mtu(size), advice.clamp(size)), (*ENTRY.fixes.network[:1], *mend), (advice.mtu_windows(size),))
