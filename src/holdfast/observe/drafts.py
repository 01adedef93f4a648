"""Files that are written under another name first, and then take the place of the one before at once."""

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from holdfast.policy.files import give_to_owner_of


def open_draft(path: Path, mode: int = 0o600) -> BinaryIO:
    """Open a new file for writing. What a killed writer left there goes. OSError when it cannot be made.

    Root may help out with a command in a directory that is another user's: no link of theirs is followed, and the file
    is theirs in the end.
    """
    with suppress(FileNotFoundError):
        path.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.fdopen(os.open(path, flags, mode), "wb")
    give_to_owner_of(path.parent, file.fileno())
    return file
