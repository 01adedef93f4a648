"""Somebody tries passwords."""

from collections import defaultdict
from collections.abc import Iterator

from holdfast.capture.authentication import Attempt
from holdfast.capture.case import Case
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.session import Session

ENTRY = Entry(
    id="brute-force",
    title="Somebody tries out passwords",
    meaning="One address fails to sign in again and again, with one name or with many. That is an attack, or a device "
    "with an old password.",
    recognised="Five or more refused attempts from one address.",
    severity=Severity.WARNING,
    fixes=Fixes(
        server=("Block the address and limit attempts; lock accounts for a while; use long passwords.",),
        network=(
            "Only from where users are: `nft insert rule inet filter input ip saddr != NETS tcp dport 1723 drop`.",
        ),
    ),
    references=("RFC 2759 section 9",),
)

LEAST, SPRAY = 5, 4


def recognise_case(case: Case) -> Iterator[tuple[Session | None, Finding]]:
    """Refused attempts by address."""
    by_client: dict[str, list[Attempt]] = defaultdict(list)
    for session in case.apart:
        by_client[session.client] += session.link.authentication.failures
    for client, failures in by_client.items():
        if not client or len(failures) < LEAST:
            continue
        users = {attempt.user for attempt in failures}
        what = f"{len(users)} different names" if len(users) >= SPRAY else "the same names"
        why = f"{len(failures)} refused attempts from {client} with {what}."
        frames = [attempt.result.moment for attempt in failures if attempt.result]
        yield None, ENTRY.found(why, frames, certainty=0.85, towards=Towards.SERVER)
