"""Rules for every test."""

from support.secret_hunt import no_secret_in_a_log
from support.skips import pytest_collection_modifyitems, pytest_make_collect_report, pytest_runtest_makereport

__all__ = [
    "no_secret_in_a_log",
    "pytest_collection_modifyitems",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
]
