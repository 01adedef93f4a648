"""Paths."""

from pathlib import Path

import pytest

from holdfast.config import InvalidConfigError, parse


def test_only_whole_paths_are_taken() -> None:
    assert parse('[radius]\nsecrets_file = "/etc/radius"').config.radius.secrets_file == Path("/etc/radius")
    with pytest.raises(InvalidConfigError, match="depends on where the command is called from"):
        parse('[radius]\nsecrets_file = "radius"')
