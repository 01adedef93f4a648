"""Writing closed segments: compressed, encrypted, or as they are, always whole or not at all."""

import os
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from holdfast.errors import StateError
from holdfast.observe.at_rest import seal
from holdfast.observe.drafts import open_draft
from holdfast.observe.segments import PACKED, SEALED, plain_name
from holdfast.secret import Secret

PIECE = 256 * 1024
GZIP = zlib.MAX_WBITS | 16
"""Asks zlib for the gzip format (RFC 1952)."""


def pack(path: Path, key: Secret | None) -> Path:
    """Replace a plain segment by its compressed (and, with a key, encrypted) form; return that. OSError if it fails."""
    target = path.with_name(plain_name(path.name) + (SEALED if key else PACKED))
    with path.open("rb") as file:
        write_segment(target, iter(lambda: file.read(PIECE), b""), key)
    path.unlink()
    return target


def write_segment(target: Path, pieces: Iterable[bytes], key: Secret | None) -> None:
    """Write plain octets to `target` in the form that its name says. StateError when a key is needed and not there."""
    draft = target.with_name(f".{target.name}.new")
    try:
        with open_draft(draft) as out:
            _write(out, target.name, pieces, key)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _write(out: IO[bytes], name: str, pieces: Iterable[bytes], key: Secret | None) -> None:
    if name.endswith(SEALED):
        if key is None:
            raise StateError("there is no key to encrypt this part of the log", where=name)
        seal(_compressed(pieces), out, key)
        return
    for piece in _compressed(pieces) if name.endswith(PACKED) else pieces:
        out.write(piece)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    machine = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    for piece in pieces:
        yield machine.compress(piece)
        time.sleep(0)  # packing has time; whoever answers clients has not
    yield machine.flush()
