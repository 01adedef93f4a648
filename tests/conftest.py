"""Rules for every test."""

from support.skips import pytest_collection_modifyitems, pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_collection_modifyitems", "pytest_make_collect_report", "pytest_runtest_makereport"]
