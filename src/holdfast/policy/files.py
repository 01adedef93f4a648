"""Files and directories that nobody else may read."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from holdfast.errors import StateError

OWNER_ONLY = 0o600
OWNER_ONLY_DIRECTORY = 0o700


def private_directory(path: Path) -> None:
    """Make the directory (mode 0700) unless it exists. StateError when others could put files into it."""
    try:
        path.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)
        mode = path.stat().st_mode
    except OSError as error:
        raise StateError(
            f"the state directory cannot be used: {'not a directory' if path.exists() else error.strerror}",
            where=str(path),
            fix="Choose a directory of your own with --state DIR, or run this as the user that owns it.",
        ) from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StateError(
            "other users may write to the state directory",
            where=str(path),
            fix=f"Choose another with --state DIR, or take the right away: chmod go-w {path}",
        )


def make_private_file(path: Path, content: bytes) -> bool:
    """Make the file with that content and mode 0600, at once or not at all. False when it exists already."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            give_to_owner_of(path.parent, descriptor)
        # A link, unlike a rename, fails when another process was first; its file then is the one that counts.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def readable_by_others(path: Path) -> bool:
    """Whether group or others have any right on the file."""
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def give_to_owner_of(directory: Path, descriptor: int) -> None:
    """Let root, who may help out with a command, leave a file that the gateway's own user can read.

    By its descriptor: a name in somebody else's directory may have become a link to anything by now.
    """
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def no_links_of_others(directory: Path) -> int:
    """Return the flag of open(2) with which root follows no link that the owner of this directory may have laid."""
    return os.O_NOFOLLOW if os.geteuid() == 0 and directory.stat().st_uid != 0 else 0
