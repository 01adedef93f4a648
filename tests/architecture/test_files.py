"""What every file keeps to: a readable length, no trace of the machine it was written on, `unsafe` in one place."""

import re
from pathlib import Path

import pytest

from architecture.source_tree import ROOT, tracked_files

LONGEST = 450
LONGEST_TEST = 600
"""A test file is a list of cases, which do not lean on each other."""
CODE = {".py", ".rs", ".sh"}
BINARY = {".pcap", ".pcapng", ".dump", ".cap", ".bin", ".png", ".ico", ".gz", ".xz", ".woff2"}
HERE = Path(__file__).resolve()

TRACES = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|root|opt/wheels)/"),
    "a package index of one machine": re.compile(
        r"--(?:extra-)?index-url\s+\S|--find-links\s+\S|^\s*index-url\s*=", re.MULTILINE
    ),
}
CRATES_IO = 'source = "registry+https://github.com/rust-lang/crates.io-index"'
# `unsafe_code` names the lint, and words in comments and texts do not count.
RUST_TESTS = "\n#[cfg(test)]\n"
UNSAFE = re.compile(r"\bunsafe\b(?!_)")
NOT_CODE = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"')


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


CODE_FILES = [path for path in tracked_files() if path.suffix in CODE]
RUST_FILES = [path for path in tracked_files() if path.suffix == ".rs"]
TEXT_FILES = [path for path in tracked_files() if path.suffix not in BINARY and path != HERE]


@pytest.mark.parametrize("path", CODE_FILES, ids=relative)
def test_files_stay_readable(path: Path) -> None:
    limit = LONGEST_TEST if "tests" in path.parts else LONGEST
    program = path.read_text(encoding="utf-8").partition(RUST_TESTS)[0]
    length = len(program.splitlines())
    assert length <= limit, f"{relative(path)} has {length} lines: it holds more than one thing"


def test_no_file_names_the_machine_it_was_written_on() -> None:
    found = []
    for path in TEXT_FILES:
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [
            f"{relative(path)}: {what}: {hit[0]}" for what, trace in TRACES.items() for hit in trace.finditer(text)
        ]
    assert not found


def test_locked_crates_come_from_the_public_index() -> None:
    lines = (ROOT / "Cargo.lock").read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if line.startswith("source = ")} == {CRATES_IO}


def test_locked_requirements_have_hashes_and_no_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.lock"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        pinned = re.findall(r"^[\w.\[\]-]+==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^\w", text, re.MULTILINE)) > 0, (
            f"{relative(path)}: something is not pinned"
        )


@pytest.mark.parametrize("path", RUST_FILES, ids=relative)
def test_unsafe_stands_only_where_the_kernel_is_talked_to(path: Path) -> None:
    if "sys" in path.parts or path.name == "sys.rs":
        return
    code = NOT_CODE.sub("", path.read_text(encoding="utf-8"))
    assert not UNSAFE.search(code), f"{relative(path)}: move it behind a safe function of the sys module"


def test_the_check_for_unsafe_sees_it() -> None:
    assert UNSAFE.search(NOT_CODE.sub("", "let x = unsafe { y };"))
    assert not UNSAFE.search(NOT_CODE.sub("", '#![deny(unsafe_code)] // unsafe\nlet s = "unsafe";'))
