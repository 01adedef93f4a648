"""GRE from the client does not arrive."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Finding
from holdfast.capture.findings.one_way import entry_of, missing
from holdfast.capture.findings.view import View

ENTRY = entry_of(
    from_client=True,
    server=(),
    client=("Allow GRE out: the firewall of this host and of the router in front of it.",),
)


def recognise(view: View) -> Iterator[Finding]:
    """Only the server speaks, or it is deaf."""
    return missing(view, ENTRY, from_client=True)
