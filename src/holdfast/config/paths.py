"""Paths in a configuration."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


def _whole(path: Path) -> Path:
    """A file must be the same one wherever the command is called from."""
    if not path.is_absolute():
        raise ValueError(f"the path {str(path)!r} depends on where the command is called from; write the whole path")
    return path


WholePath = Annotated[Path, AfterValidator(_whole)]
