import dataclasses

import pytest

from holdfast.advise.check import Verdict
from holdfast.advise.kernel_module import kernel_module
from support.hosts import SERVER as HOST


@pytest.mark.parametrize(
    ("loaded", "loadable", "by_itself", "verdict"),
    [
        ({"ppp_mppe"}, set(), True, Verdict.OK),
        (set(), {"ppp_mppe"}, True, Verdict.OK),
        (set(), {"ppp_mppe"}, False, Verdict.WARNING),
        (set(), set(), True, Verdict.FAULT),
        (set(), None, True, Verdict.UNKNOWN),
    ],
)
def test_verdicts(loaded: set[str], loadable: set[str] | None, by_itself: bool, verdict: Verdict) -> None:
    known = None if loadable is None else frozenset(loadable)
    facts = dataclasses.replace(HOST, modules=frozenset(loaded), loadable=known)
    check = kernel_module(facts, "ppp_mppe", "do MPPE", "buy another", by_itself=by_itself)
    assert (check.id, check.verdict) == ("kernel-ppp-mppe", verdict)


def test_two_modules_are_kept_side_by_side() -> None:
    facts = dataclasses.replace(HOST, modules=frozenset(), loadable=frozenset({"a", "b"}))
    keeps = [kernel_module(facts, name, "x", by_itself=False).fixes[-1] for name in ("a", "b")]
    assert all(" >> " in keep for keep in keeps), "the second must not overwrite the first"
