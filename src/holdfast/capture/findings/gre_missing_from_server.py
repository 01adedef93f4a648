"""GRE from the server does not arrive."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Finding
from holdfast.capture.findings.one_way import entry_of, missing
from holdfast.capture.findings.view import View

ENTRY = entry_of(
    from_client=False,
    server=("Is the answer sent from the address that the client dialled? `ip route get CLIENT`",),
    client=("Allow GRE in: the firewall of this host and of the router in front of it.",),
)


def recognise(view: View) -> Iterator[Finding]:
    """Only the client speaks, or it is deaf."""
    return missing(view, ENTRY, from_client=False)
