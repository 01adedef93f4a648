"""Which user names and passwords are taken, and the sentences for those that are not."""

import unicodedata

from holdfast.errors import HoldfastError
from holdfast.secret import Secret
from holdfast.wire.text import composed

LONGEST_NAME = 253
"""Octets of UTF-8: what a RADIUS User-Name attribute carries (RFC 2865 section 5); PAP and CHAP carry more."""

LONGEST_PASSWORD = 256
"""Characters (RFC 2759 section 8.3: 0 to 256 Unicode characters)."""

NT_HASH_SIZE = 16

_UNSPEAKABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that nobody sees: controls, formats, halves of pairs, unassigned, separators."""


class UnacceptableError(HoldfastError):
    """A name, password or hash that is not taken."""


def acceptable_name(name: str) -> str:
    """Return the name in the form in which it is stored (NFC). UnacceptableError says what is wrong with it."""
    name = composed(name)
    if not name:
        raise UnacceptableError("a user needs a name")
    if strange := _unspeakable(name):
        raise UnacceptableError(f"the user name holds a character that cannot be seen: {strange}")
    if name != name.strip():
        raise UnacceptableError("the user name begins or ends with a space")
    size = len(name.encode())
    if size > LONGEST_NAME:
        raise UnacceptableError(f"the user name has {size} octets; at most {LONGEST_NAME} can be sent by every method")
    return name


def lookup_name(name: bytes) -> str | None:
    """Return the name that a peer sent in the form in which names are stored; None when no user can have it."""
    try:
        return acceptable_name(name.decode())
    except (UnicodeDecodeError, UnacceptableError):
        return None


def acceptable_password(text: str) -> Secret:
    """Wrap a password. UnacceptableError says what is wrong with it, without showing it."""
    if not text:
        raise UnacceptableError("the password is empty")
    if _unspeakable(text):
        raise UnacceptableError("the password holds a character that cannot be typed, such as a line break or a tab")
    if len(text) > LONGEST_PASSWORD:
        raise UnacceptableError(f"the password has {len(text)} characters; MS-CHAP takes at most {LONGEST_PASSWORD}")
    return Secret.from_text(text)


def acceptable_nt_hash(text: str) -> Secret:
    """Read an NT hash written as 32 hexadecimal digits."""
    try:
        octets = bytes.fromhex(text.strip())
    except ValueError:
        octets = b""
    if len(octets) != NT_HASH_SIZE:
        raise UnacceptableError("an NT hash is written as 32 hexadecimal digits")
    return Secret(octets)


def _unspeakable(text: str) -> str:
    """Return the code point of the first character that nobody sees, or nothing."""
    return next((f"U+{ord(char):04X}" for char in text if unicodedata.category(char) in _UNSPEAKABLE), "")
