"""Who may be skipped, and where.

Tests that need root or the lab are skipped without root, with the reason shown. On a build machine (CI set) a skip is
a failure, since there it would mean that something was not proven; the one exception is the folder of captures, which
is not part of the repository.
"""

import os
from collections.abc import Generator

import pytest

NEEDS_ROOT = {
    "root": "needs root: makes network namespaces, TUN devices or raw sockets",
    "lab": "needs root: runs real PPTP peers in guests",
}
ALLOWED_IN_CI = "captures"
LAB_TIMEOUT = 600
"""Seconds; the first test of the lab may have to build its guest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs root when there is none."""
    for item in items:
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.timeout(LAB_TIMEOUT))
        for marker, reason in NEEDS_ROOT.items():
            if item.get_closest_marker(marker) and os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, turn the skip of a test into a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not item.get_closest_marker(ALLOWED_IN_CI):
        _fail_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, turn the skip of a whole file into a failure."""
    report = yield
    if report.skipped:
        _fail_in_ci(report)
    return report


def in_ci() -> bool:
    """Whether this is a build machine."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def _fail_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not in_ci():
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"Skipped where nothing may be skipped (CI is set). {reason}"
