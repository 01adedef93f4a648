"""RADIUS and the gateway are killed at random; what FreeRADIUS wrote down must be what clients had. Needs root.

This is the short form of `make soak`, which goes on for ten minutes.
"""

import pytest

from bench.ordeal import run
from bench.ordeal_books import compare, summary

pytestmark = pytest.mark.root


@pytest.mark.timeout(900)
def test_no_record_is_lost_or_doubled_whoever_is_killed(tmp_path):
    books, done = run(tmp_path, seconds=25, seed=1)
    story = "\n".join([*compare(books), *summary(books), str(done)])
    assert not compare(books), story
    assert done["radius"] >= 2, story
    assert done["gateway"] >= 2, story
    assert sum(session["up"] for session in books.sessions) >= 5, story
    causes = {row["acctterminatecause"] for row in books.rows}
    assert {"User-Request", "NAS-Reboot"} <= causes, story
