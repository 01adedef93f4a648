"""Passwords from places where nobody else looks: a file with mode 0600, or systemd's credentials."""

import os
import stat
from pathlib import Path

from holdfast.errors import HoldfastError
from holdfast.secret import Secret

LONGEST = 4096
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def from_file(path: Path) -> Secret:
    """Read the first line of a file. HoldfastError when others may read it too, when it is empty or not readable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            line = file.readline(LONGEST + 1)
    except OSError as error:
        raise HoldfastError(f"the password cannot be read: {error.strerror}", where=str(path)) from None
    if status.st_mode & OTHERS:
        fix = f"chmod 600 {path}"
        raise HoldfastError("others may read this file, so its password is not used", where=str(path), fix=fix)
    return _checked(line, str(path))


def from_credential(name: str) -> Secret:
    """Read a credential that systemd passed (systemd.exec(5), LoadCredential=). HoldfastError when there is none."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    where = f"credential {name}"
    if not folder:
        fix = f"LoadCredential={name}:FILE in the unit, or use a password file"
        raise HoldfastError("systemd passed no credentials to this process", where=where, fix=fix)
    try:
        with (Path(folder) / Path(name).name).open("rb") as file:
            line = file.readline(LONGEST + 1)
    except OSError as error:
        raise HoldfastError(f"it cannot be read: {error.strerror}", where=where) from None
    return _checked(line, where)


def _checked(line: bytes, where: str) -> Secret:
    text = line.removesuffix(b"\n").removesuffix(b"\r")
    if not text:
        raise HoldfastError("there is no password in the first line", where=where)
    if len(text) > LONGEST:
        raise HoldfastError(f"the first line is longer than {LONGEST} octets: this is no password", where=where)
    return Secret(text)
