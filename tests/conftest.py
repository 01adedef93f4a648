"""Rules for every test."""

import signal

from support.secret_hunt import no_secret_in_a_log
from support.skips import pytest_collection_modifyitems, pytest_make_collect_report, pytest_runtest_makereport

__all__ = [
    "no_secret_in_a_log",
    "pytest_collection_modifyitems",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
]

# A shell lets what it starts in the background ignore Ctrl-C, and so would every process that a test starts to be
# interrupted. A handler of ours is not inherited: they get the usual one.
signal.signal(signal.SIGINT, signal.default_int_handler)
