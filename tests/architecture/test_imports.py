"""Imports point one way, and the protocol layers stay pure (docs/architecture.md)."""

import ast
import sys

import pytest

from architecture.source_tree import PACKAGE, imports, modules, part

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"", "wire", "events", "errors", "secret", "machine"}),
    frozenset({"control", "gre", "ppp", "radius"}),
    frozenset({"session"}),
    frozenset({"policy", "dataplane", "network", "observe", "capture"}),
    frozenset({"alarm", "config", "local_api", "systemd"}),
    frozenset({"gateway", "dialer", "probe", "advise", "migrate", "watch"}),
    frozenset({"console", "cli"}),
)
STRANGERS = LAYERS[1]
"""Parts of this layer never import each other."""

CONFIG_READERS = {"config", "gateway", "dialer", "cli"}
NATIVE_USERS = {"dataplane", "capture", "observe"}
"""The only parts that may touch the Rust core; all others see the Python face in front of it."""

PURE = LAYERS[0] | LAYERS[1] | LAYERS[2]
"""No I/O, no clock, no randomness: `now` and entropy are arguments."""

FOREIGN_IMPURE = {"prometheus_client", "pydantic", "pyroute2", "rich", "sqlalchemy", "typer"}
STANDARD_IMPURE = """
    asyncio concurrent ctypes fcntl glob http logging mmap multiprocessing os pathlib queue random sched secrets select
    selectors shutil signal socket socketserver sqlite3 ssl subprocess sys tempfile threading time urllib uuid
"""
IMPURE_MODULES = FOREIGN_IMPURE | set(STANDARD_IMPURE.split())
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}
CLOCKS = {"now", "utcnow", "today"}


def own_imports(module: str) -> set[str]:
    return {name for name in imports(module) if name == PACKAGE or name.startswith(f"{PACKAGE}.")}


def test_every_part_of_the_house_has_its_place() -> None:
    placed = set().union(*LAYERS) | {"_native"}
    assert {part(module) for module in modules()} <= placed


@pytest.mark.parametrize("module", modules())
def test_imports_point_one_way(module: str) -> None:
    mine = _layer(part(module))
    for imported in own_imports(module):
        if part(imported) == "_native":
            assert part(module) in NATIVE_USERS, f"{module} reaches into the Rust core; only {NATIVE_USERS} may"
            continue
        theirs = _layer(part(imported))
        assert theirs <= mine, f"{module} imports {imported}, which lives above it"
        if part(module) in STRANGERS and theirs == mine:
            assert part(imported) == part(module), f"{module} imports {imported}: they are not to know each other"


@pytest.mark.parametrize("module", modules())
def test_only_the_outer_parts_read_the_configuration(module: str) -> None:
    if part(module) not in CONFIG_READERS:
        assert "config" not in {part(imported) for imported in own_imports(module)}


def test_parts_do_not_import_each_other_in_circles() -> None:
    needs = {part(module): set[str]() for module in modules()}
    for module in modules():
        needs[part(module)] |= {part(imported) for imported in own_imports(module)} - {part(module), "_native", ""}
    while free := {name for name, needed in needs.items() if not needed}:
        needs = {name: needed - free for name, needed in needs.items() if name not in free}
    assert not needs, f"these parts import each other in a circle: {needs}"


PURE_MODULES = [module for module in modules() if part(module) in PURE]


@pytest.mark.parametrize("module", PURE_MODULES)
def test_protocol_layers_import_nothing_that_does_io(module: str) -> None:
    assert not {name.split(".")[0] for name in imports(module)} & IMPURE_MODULES
    assert "Crypto.Random" not in {name[: len("Crypto.Random")] for name in imports(module)}


@pytest.mark.parametrize("module", PURE_MODULES)
def test_protocol_layers_call_nothing_that_does_io(module: str) -> None:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & IMPURE_CALLS
    asked = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not asked & CLOCKS


def test_the_list_of_impure_modules_has_no_misprint() -> None:
    assert sys.stdlib_module_names >= IMPURE_MODULES - FOREIGN_IMPURE


def _layer(name: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if name in layer)
