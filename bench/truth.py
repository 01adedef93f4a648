"""How often `holdfast diagnose` names the cause: labelled captures of the lab, and public ones where they are.

The lab's corpus (`lab/corpus`, `make corpus`) is made first when it is absent and root runs this. Each miss is named.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.capture.diagnosis import Diagnosis, Verdict, diagnose
from holdfast.capture.findings.base import Severity
from lab.corpus.build import build, read_labels
from lab.corpus.scenarios import ALL
from tests.support.captures import BESIDE, VARIABLE

CORPUS = Path(__file__).parent / "out" / "corpus"
WANTED = 0.95
FACTS = frozenset(
    {
        *("healthy", "harmless", "partial-capture", "capture-duplicates"),
        *("cleartext-data", "cleartext-password", "no-authentication"),
    }
)
"""True besides any cause: they count only where they are the label, or where the label is that all is well."""
PUBLIC = {
    "asleap__pptp_80211.dump": ("healthy",),
    "certcc__cve-2020-8597_gre-samples.pcap": ("attack-overflow",),
    "jradius__radius-eap-mschapv2.pcapng": ("nothing",),
    "jradius__radius-mschapv2.pcapng": ("nothing",),
    "libtrace__radius.pcap": ("nothing",),
    "mercury__capture2.pcap": ("cleartext-password", "cleartext-data"),
    "nDPI__gre.pcapng": ("cleartext-data",),
    "nDPI__pptp.pcap": ("link-closed-early",),
    "suricata-verify__eth-ip-gre-ppp-max-ip-packet.pcap": ("nothing",),
    "tcpdump__gre-heapoverflow-1.pcap": ("nothing",),
    "tcpdump__pptp.pcap": ("server-link-died",),
    "tcpdump__various_gre.pcap": ("nothing",),
    "wireshark__PPP-config.cap": ("healthy",),
    "wireshark__PPPHandshake_converted.pcap": ("auth-rejected",),
    "wireshark__http_clientport1723_only_NEGATIVE.pcap": ("nothing",),
    "wireshark__ldap_clientport1723_only_NEGATIVE.pcap": ("nothing",),
    "wireshark__ppp_lcp_ipcp.pcap": ("healthy",),
    "zeek__erspan.pcap": ("nothing",),
    "zeek__gre-pptp.pcap": ("cleartext-data",),
}
"""Public captures with a known cause; their folder is not part of the repository."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many were judged, and what was said of those judged wrongly."""

    judged: int
    misses: tuple[str, ...]

    @property
    def share(self) -> float:
        """Return the part that is right; 1 without any capture."""
        return 1 - len(self.misses) / self.judged if self.judged else 1.0


def wrong(diagnosis: Diagnosis, wanted: Sequence[str]) -> str:
    """Return what is wrong with a judgement; empty when it is right."""
    findings = [each for each in diagnosis.judgement.all if each.id in wanted or each.id not in FACTS]
    if wanted == ["nothing"]:
        return "" if diagnosis.verdict is Verdict.NOTHING else f"nothing, but found {[each.id for each in findings]}"
    serious = [each for each in diagnosis.judgement.all if each.severity is not Severity.NOTE]
    if "healthy" in wanted and not serious and diagnosis.verdict is Verdict.HEALTHY:
        return ""
    top = findings[0].id if findings else "nothing"
    found = [f"{each.id} ({each.certainty:.2f})" for each in diagnosis.judgement.all]
    return (
        "" if top in set(wanted) - {"healthy"} else f"{' or '.join(wanted)}, but found {', '.join(found) or 'nothing'}"
    )


def score(folder: Path, labels: Mapping[str, Sequence[str]], say: Callable[[str], None] = print) -> Score:
    """Judge the captures of a folder that have a label; say each miss and the sum."""
    misses = []
    there = {name: list(wanted) for name, wanted in labels.items() if (folder / name).is_file()}
    for name, wanted in there.items():
        if problem := wrong(diagnose([str(folder / name)]), wanted):
            misses.append(name)
            say(f"miss: {name} is {problem}")
    found = Score(len(there), tuple(misses))
    say(f"{found.judged - len(misses)} of {found.judged} captures judged right ({found.share:.1%})")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Score the lab's corpus and the public captures; 1 when too much is wrong."""
    parser = argparse.ArgumentParser(prog="bench.truth", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=CORPUS, help="the corpus")
    folder: Path = parser.parse_args(arguments).folder
    shares = []
    if not read_labels(folder) and os.geteuid() == 0:
        build(folder, ALL)
    if labels := read_labels(folder):
        print(f"Captures of the lab in {folder.name}; wanted {WANTED:.0%}")
        shares.append(score(folder, labels).share)
    else:
        print("No corpus, and no root to make it.")
    public = Path(os.environ.get(VARIABLE, BESIDE))
    if public.is_dir():
        print("Public captures")
        shares.append(score(public, PUBLIC).share)
    return 0 if all(share >= WANTED for share in shares) else 1


if __name__ == "__main__":
    sys.exit(main())
