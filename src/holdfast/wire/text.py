"""Text in fixed-size fields: made printable whatever the peer put there."""

import unicodedata

PAD = b"\0"


def printable(octets: bytes) -> str:
    """Return the octets as text that is safe to print and to log, never failing.

    UTF-8 is decoded; octets that are not, and characters that do not print (controls, line ends, direction
    marks), become `\\x..` or `\\u....` escapes. At most four characters for each octet.
    """
    text = octets.decode("utf-8", errors="backslashreplace")
    return text if text.isprintable() else "".join(map(_escape, text))


def composed(text: str) -> str:
    """Return text in the form in which names are kept and compared (Unicode NFC).

    An accented letter is one character or a letter and an accent, as the keyboard of a system makes it: one name.
    """
    return unicodedata.normalize("NFC", text)


def unpad(octets: bytes) -> str:
    """Return the printable text before the first NUL."""
    return printable(octets.partition(PAD)[0])


def pad(text: str, size: int) -> bytes:
    """Return the text as `size` octets of UTF-8, cut between characters when too long, filled with NUL."""
    octets = text.encode(errors="replace")[:size]
    return octets.decode(errors="ignore").encode().ljust(size, PAD)


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    return f"\\x{ord(character):02x}" if ord(character) < 0x100 else f"\\u{ord(character):04x}"
