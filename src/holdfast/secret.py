"""Wrapped secrets: passwords, hashes, keys and challenges that print as `***`.

A secret is opened in one place, where it is used; it never takes part in `repr`, formatting, pickling or an
exception text.
"""

import hmac
from typing import NoReturn


class Secret:
    """Some octets that must never reach a log, an event, an exception text or argv."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = bytes(octets)

    @classmethod
    def from_text(cls, text: str) -> "Secret":
        """Wrap the UTF-8 octets of `text`."""
        return cls(text.encode())

    def reveal(self) -> bytes:
        """Return the octets themselves. Call this only where they are used."""
        return self._octets

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __len__(self) -> int:
        return len(self._octets)

    def __bool__(self) -> bool:
        return bool(self._octets)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, Secret) and hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        return hash(self._octets)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
