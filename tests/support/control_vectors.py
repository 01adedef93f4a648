"""The control messages of `tests/vectors/control_messages.toml`, ready for use."""

from dataclasses import dataclass
from typing import Any

from support.vectors import load, octets


@dataclass(frozen=True)
class MessageVector:
    """One message as the RFC's figure has it."""

    name: str
    size: int
    reserved: list[int]
    octets: bytes
    fields: dict[str, Any]


def message_vectors() -> list[MessageVector]:
    """Return one vector for each kind of message."""
    return [
        MessageVector(
            entry["name"], entry["size"], entry["reserved"], b"".join(map(_part, entry["octets"])), entry["fields"]
        )
        for entry in load("control_messages")["message"]
    ]


def _part(item: str) -> bytes:
    size, colon, text = item.partition(":")
    return text.encode().ljust(int(size), b"\0") if colon else octets(item)
