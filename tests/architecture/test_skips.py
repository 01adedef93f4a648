"""The rule about skips, shown on a test run inside the test run."""

import inspect

import pytest

from support import skips

pytest_plugins = ["pytester"]

QUIET = ("-p", "no:cacheprovider", "-p", "no:asyncio")
SKIPPING = """
import pytest

@pytest.mark.skip(reason="no such program")
def test_skipped():
    pass

@pytest.mark.captures
@pytest.mark.skip(reason="no captures here")
def test_allowed():
    pass

@pytest.mark.xfail(reason="known")
def test_known():
    assert False
"""


@pytest.fixture
def inner(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(inspect.getsource(skips))
    pytester.makeini("[pytest]\nmarkers = captures\n    lab\n    root\n    timeout\n")
    return pytester


@pytest.mark.parametrize(("ci", "failed"), [("", 0), ("false", 0), ("true", 1), ("1", 1)])
def test_a_skip_is_a_failure_only_in_ci(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, failed: int
) -> None:
    monkeypatch.setenv("CI", ci)
    inner.makepyfile(SKIPPING)
    result = inner.runpytest_inprocess(*QUIET, "-ra")
    result.assert_outcomes(errors=failed, skipped=2 - failed, xfailed=1)
    result.stdout.fnmatch_lines(["*no such program*"])


def test_a_skipped_file_is_an_error_in_ci(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    inner.makepyfile("import pytest\npytest.importorskip('no_such_module_anywhere')")
    result = inner.runpytest_inprocess(*QUIET)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no_such_module_anywhere*"])


@pytest.mark.parametrize("marker", ["root", "lab"])
def test_without_root_the_reason_is_shown(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, marker: str) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    inner.makepyfile(f"import pytest\n@pytest.mark.{marker}\ndef test_it():\n    raise AssertionError")
    result = inner.runpytest_inprocess(*QUIET, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*needs root*"])
