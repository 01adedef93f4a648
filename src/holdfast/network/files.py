"""A file put in the place of another for a while, such as resolv.conf."""

import base64
import errno
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from holdfast.network.kernel import Kernel
from holdfast.network.refusal import explained

FILE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class ReplaceFile:
    """A text file at `path` instead of what stands there; a symbolic link is put back as the link it was."""

    path: str
    text: str
    kind: ClassVar[str] = "file"
    survives_boot: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"file {self.path}"

    def inspect(self, kernel: Kernel) -> dict[str, Any] | None:  # noqa: ARG002  # the protocol's signature
        """Remember link, content, mode and owner."""
        path = Path(self.path)
        with explained("cannot read the file that stands there", where=self.path):
            if path.is_symlink():
                return {"link": str(path.readlink())}
            if not path.exists():
                return {"absent": True}
            content = path.read_bytes()
            if content == self.text.encode():
                return None
            status = path.stat()
            owner = {"mode": status.st_mode & 0o7777, "uid": status.st_uid, "gid": status.st_gid}
            return {"content": base64.b64encode(content).decode(), **owner}

    def apply(self, kernel: Kernel) -> None:  # noqa: ARG002  # the protocol's signature
        """Put the text there in one step."""
        with explained(
            "cannot write the file", where=self.path, fix="make it writable, or leave DNS alone (dns = none)"
        ):
            _put(Path(self.path), self.text.encode(), FILE_MODE)

    def undo(self, kernel: Kernel, memory: dict[str, Any]) -> bool:  # noqa: ARG002  # the protocol's signature
        """Put back what was there, unless someone else has written the file since."""
        path = Path(self.path)
        with explained("cannot put the file back", where=self.path):
            if path.is_symlink() or not path.exists() or path.read_bytes() != self.text.encode():
                return False
            if "link" in memory:
                _put_link(path, memory["link"])
            elif "absent" in memory:
                path.unlink()
            else:
                _put(path, base64.b64decode(memory["content"]), memory["mode"], (memory["uid"], memory["gid"]))
        return True

    def plain(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "ReplaceFile":
        """Make the change from its fields."""
        return cls(**fields)


def _put(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Write beside and rename, so that no reader sees half; in place where a mount stands in the way."""
    beside = path.with_name(f".{path.name}.holdfast")
    try:
        beside.write_bytes(content)
        beside.chmod(mode)
        if owner is not None:
            os.chown(beside, *owner)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.errno not in {errno.EBUSY, errno.EXDEV}:
            raise
        path.write_bytes(content)


def _put_link(path: Path, target: str) -> None:
    beside = path.with_name(f".{path.name}.holdfast")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(path)
