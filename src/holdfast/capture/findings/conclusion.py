"""What is said last: that all is well, or that nothing explains the end."""

from holdfast.capture.findings import healthy, stopped_early
from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.findings.view import View


def conclude(view: View, found: list[Finding]) -> list[Finding]:
    """Return the closing finding of a session, given all others."""
    serious = [finding for finding in found if finding.severity is not Severity.NOTE]
    if serious:
        return []
    if view.up:
        return [healthy.found(view)]
    return stopped_early.found(view, found)
