"""Files that a configuration names: whether they can be read here, by this user."""

import os
from collections.abc import Iterator
from pathlib import Path

from holdfast.config.lines import line_of
from holdfast.config.loading import LoadedConfig
from holdfast.config.problems import Problem


def unreadable_files(loaded: LoadedConfig) -> list[Problem]:
    """Return each file that this configuration needs and that cannot be read.

    A gateway would not start. Nothing is wrong with the configuration itself, which may be meant for another machine.
    """
    found = []
    for path, file in _named(loaded):
        if why := _why_not(file):
            meant = f"The gateway does not start on this machine without it: put it there, or take {path[-1]} out."
            found.append(Problem(path, f"{file}: {why}", meant, line_of(loaded.lines, path)))
    return found


def _named(loaded: LoadedConfig) -> Iterator[tuple[tuple[str, ...], Path]]:
    config = loaded.config
    single = {
        ("users", "chap_secrets"): config.users.chap_secrets,
        ("log", "encryption_key"): config.log.encryption_key,
        ("metrics", "token_file"): config.metrics.token_file,
        ("radius", "secrets_file"): config.radius.secrets_file,
    }
    yield from ((path, file) for path, file in single.items() if file is not None)
    for server in (*config.radius.servers, *(config.radius.accounting_servers or ())):
        for name in ("ca", "certificate", "key"):
            if (file := getattr(server, name, None)) is not None:
                yield ("radius", "servers", name), file


def _why_not(file: Path) -> str:
    try:
        if file.is_dir():
            return "this is a directory"
        if not file.exists():
            return "there is no such file"
    except OSError as error:
        return str(error.strerror)
    return "" if os.access(file, os.R_OK) else "this user may not read it"
