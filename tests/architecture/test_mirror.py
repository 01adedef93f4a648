"""Every module has a test file of its own, is imported by a test, or is listed here with the test that runs it."""

import ast
from functools import cache
from pathlib import Path

import pytest

from architecture.source_tree import ROOT, SOURCE, imported_names, modules

TESTS = ROOT / "tests"
TESTED_AS_A_WHOLE = {
    "holdfast.advise.client_checks": "unit/advise/test_doctor.py",
    "holdfast.advise.forwarding_checks": "unit/advise/test_doctor.py",
    "holdfast.advise.kernel_checks": "unit/advise/test_doctor.py",
    "holdfast.advise.path_checks": "unit/advise/test_doctor.py",
    "holdfast.capture": "captures/test_truth.py",
    "holdfast.cli.diagnose": "captures/test_truth.py",
    "holdfast.cli.dial": "netns/test_dial.py",
    "holdfast.cli.dial_view": "netns/test_dial.py",
    "holdfast.cli.disconnect": "interop/test_gateway_ends.py",
    "holdfast.cli.gateway_socket": "unit/cli/test_gateway_commands.py",
    "holdfast.cli.serve": "interop/test_gateway_sessions.py",
    "holdfast.cli.status": "unit/cli/test_gateway_commands.py",
    "holdfast.dialer.host_side": "netns/test_dial.py",
    "holdfast.events": "unit/observe/test_schema.py",
    "holdfast.gateway.api": "interop/test_gateway_sessions.py",
    "holdfast.gateway.connection": "unit/gateway/test_gateway.py",
    "holdfast.gateway.subscriber": "unit/gateway/test_gateway.py",
    "holdfast.gateway.upcalls": "unit/gateway/test_gateway.py",
}
"""Module or package -> the test that runs it: parts whose meaning is only in the whole."""


def own_test(path: Path) -> Path:
    """Return where the test file of a module belongs."""
    return TESTS / "unit" / path.relative_to(SOURCE).with_name(f"test_{path.name}")


def is_empty(path: Path) -> bool:
    """Whether a file holds nothing but a docstring."""
    return all(isinstance(node, ast.Expr) for node in ast.parse(path.read_text(encoding="utf-8")).body)


@cache
def imported_by_tests() -> frozenset[str]:
    """Every module that some test file imports."""
    files = [path for path in TESTS.rglob("test_*.py") if "architecture" not in path.parts]
    return frozenset(name for path in files for name in imported_names(path))


def whole(module: str) -> str | None:
    """Return the test that is named for the module or a package it is in."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((TESTED_AS_A_WHOLE[name] for name in names if name in TESTED_AS_A_WHOLE), None)


MODULES = [name for name, path in modules().items() if not is_empty(path)]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_tests(module: str) -> None:
    mirror = own_test(modules()[module])
    if not mirror.exists() and module not in imported_by_tests():
        assert whole(module), f"write {mirror.relative_to(ROOT)}"


@pytest.mark.parametrize(("module", "test"), TESTED_AS_A_WHOLE.items())
def test_the_list_names_only_what_exists(module: str, test: str) -> None:
    assert module in modules()
    assert (TESTS / test).exists()
