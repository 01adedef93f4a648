"""The source tree as the architecture tests see it: modules by name, and what each imports."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "holdfast"
SOURCE = ROOT / "src" / PACKAGE


@cache
def modules() -> dict[str, Path]:
    """Every module of the package: dotted name -> file."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """Every module that `module` imports, at whatever depth of the code, by its full name."""
    path = modules()[module]
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return frozenset(name for node in ast.walk(tree) for name in _imported(node, module, path))


def _imported(node: ast.AST, module: str, path: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parent = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        base = parent[: len(parent) - node.level + 1] if node.level else []
        origin = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            # `from package import name` may name a module or something in one
            inner = f"{origin}.{alias.name}"
            yield inner if inner in modules() else origin


def imported_names(path: Path) -> frozenset[str]:
    """Every name that a file outside the package imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return frozenset(name for node in ast.walk(tree) for name in _imported(node, path.stem, path))


def part(module: str) -> str:
    """Return the part of the house a module lives in: `holdfast.ppp.lcp` is in `ppp`; the package itself is in ``."""
    return module.split(".")[1] if "." in module else ""


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that git would carry into a fresh clone, new ones included."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())
