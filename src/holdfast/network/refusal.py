"""How the host's refusals are told: one sentence, and the way out."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.errors import HostError

RIGHTS_FIX = "run as root, or give the process CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)"
REFUSED = frozenset({errno.EPERM, errno.EACCES})


@contextmanager
def explained(what: str, *, where: str = "", fix: str = "") -> Iterator[None]:
    """Let an OSError inside become a `HostError` that begins with `what`."""
    try:
        yield
    except OSError as error:
        place = where or str(error.filename or "")
        raise HostError(f"{what}: {error.strerror}", where=place, fix=fix or rights_fix(error.errno)) from error


def rights_fix(code: int | None) -> str:
    """Return what to do about an errno that means a missing right, else nothing."""
    return RIGHTS_FIX if code in REFUSED else ""
