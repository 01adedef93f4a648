"""Rights on a file for single accounts: the access control list of acl(5), read and written as the kernel keeps it.

The mode of a file knows one group; a list knows any number of users and groups, and the kernel itself keeps to it.
"""

import errno
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import HostError

READ, WRITE, EXECUTE = 4, 2, 1
ATTRIBUTE = "system.posix_acl_access"

_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 1, 2, 4, 8, 16, 32
_NOBODY = 2**32 - 1
"""The number in entries that are not for a single account."""
_VERSION = 2
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
"""Linux, include/uapi/linux/posix_acl_xattr.h."""


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    tag: int
    number: int
    right: int


def share(path: Path, users: frozenset[int], groups: frozenset[int], right: int) -> None:
    """Let these users and groups (numbers) have exactly `right` on the file or directory, besides what was there.

    Others whom the list gave exactly that right lose it: so a list that was shortened takes away what it gave.
    HostError when the file system keeps no such lists.
    """
    try:
        found = _read(path)
        kept = {one for one in found if one.number == _NOBODY or one.right != right}
        given = {_Entry(_USER, number, right) for number in users} | {
            _Entry(_GROUP, number, right) for number in groups
        }
        if not given and kept == set(found):
            return
        taken = {(one.tag, one.number) for one in given}
        wanted = given | {one for one in kept if (one.tag, one.number) not in taken}
        os.setxattr(path, ATTRIBUTE, _written(wanted))
    except OSError as error:
        unknown = error.errno in (errno.ENOTSUP, errno.ENOSYS)
        raise HostError(
            "this file system keeps no rights for single accounts" if unknown else f"{error.strerror or error}",
            where=str(path),
            fix="Put the state directory on one that does, such as ext4, xfs, btrfs or tmpfs." if unknown else "",
        ) from None


def _read(path: Path) -> list[_Entry]:
    try:
        octets = os.getxattr(path, ATTRIBUTE)
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP, errno.ENOSYS):
            raise
        mode = stat.S_IMODE(path.stat().st_mode)
        rights = ((_USER_OBJ, mode >> 6), (_GROUP_OBJ, mode >> 3), (_OTHER, mode))
        return [_Entry(tag, _NOBODY, right & 7) for tag, right in rights]
    return [_Entry(tag, number, right) for tag, right, number in _ENTRY.iter_unpack(octets[_HEAD.size :])]


def _written(entries: set[_Entry]) -> bytes:
    """Write a list, in the order that the kernel wants, with a mask that lets through all that it gives."""
    listed = [one for one in entries if one.tag != _MASK]
    mask = 0
    for one in listed:
        mask |= one.right if one.tag in (_USER, _GROUP_OBJ, _GROUP) else 0
    if any(one.tag in (_USER, _GROUP) for one in listed):
        listed.append(_Entry(_MASK, _NOBODY, mask))
    return _HEAD.pack(_VERSION) + b"".join(_ENTRY.pack(one.tag, one.right, one.number) for one in sorted(listed))
