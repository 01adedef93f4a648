"""Rules for every test."""

import signal

import pytest
from hypothesis import HealthCheck, settings

from support.ports import free_ports
from support.secret_hunt import no_secret_in_a_log
from support.skips import (
    in_ci,
    pytest_collection_modifyitems,
    pytest_make_collect_report,
    pytest_runtest_makereport,
)

__all__ = [
    "no_secret_in_a_log",
    "pytest_collection_modifyitems",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
    "unused_tcp_port",
    "unused_udp_port",
]

# What a build machine tries is the same each time, so that it refuses no change for what another one brought; everybody
# else tries something new with each run. No example fails for the time it takes.
settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile(
    "gate", settings.get_profile("house"), derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gate" if in_ci() else "house")

# A shell lets what it starts in the background ignore Ctrl-C, and so would every process that a test starts to be
# interrupted. A handler of ours is not inherited: they get the usual one.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def unused_tcp_port() -> int:
    """A port that nobody takes meanwhile; in place of pytest-asyncio's."""
    return free_ports(1)[0]


@pytest.fixture
def unused_udp_port() -> int:
    """A port that nobody takes meanwhile; in place of pytest-asyncio's."""
    return free_ports(1)[0]
