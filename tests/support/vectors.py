"""Reads the data files in `tests/vectors`."""

import tomllib
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent / "vectors"


def load(name: str) -> dict[str, Any]:
    """Return the data file `name` (without its ending)."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text())


def octets(text: str) -> bytes:
    """Return what hexadecimal text with any white space in it means."""
    return bytes.fromhex("".join(text.split()))
