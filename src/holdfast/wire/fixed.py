"""Fixed structs, declared as dataclasses whose fields say how they stand on the wire.

    @dataclass(frozen=True, slots=True)
    class Greeting:
        version: Uint16
        reserved1: ClassVar[Reserved] = Reserved(2)
        host_name: Text64

    layout_of(Greeting).pack(Greeting(0x0100, "gateway"))

Fields stand in the order of declaration, in network byte order, without alignment. Reserved octets are sent as
zero and ignored on receipt. Text is NUL-padded and read leniently (`holdfast.wire.text`).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_origin, get_type_hints

from holdfast.wire.errors import MalformedError
from holdfast.wire.text import pad, unpad


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned integer: its `struct` format, and how people read it (plain decimal when None)."""

    format: str
    describe: Callable[[int], str] | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text field of so many octets."""

    size: int

    @property
    def format(self) -> str:
        """The `struct` format."""
        return f"{self.size}s"


@dataclass(frozen=True, slots=True)
class Reserved:
    """So many octets that must be sent as zero."""

    size: int

    @property
    def format(self) -> str:
        """The `struct` format."""
        return f"{self.size}x"


Uint8 = Annotated[int, Number("B")]
Uint16 = Annotated[int, Number("H")]
Uint32 = Annotated[int, Number("I")]
Text64 = Annotated[str, Text(64)]
Text128 = Annotated[str, Text(128)]

T = TypeVar("T")


class Layout(Generic[T]):
    """How the values of one dataclass stand on the wire. `size` is in octets."""

    __slots__ = ("_fields", "_make", "_struct", "size")

    def __init__(self, cls: type[T]) -> None:
        parts = _parts(cls)
        self._make: Callable[..., T] = cls
        self._struct = struct.Struct("!" + "".join(kind.format for _, kind in parts))
        self._fields = [(name, kind) for name, kind in parts if not isinstance(kind, Reserved)]
        self.size = self._struct.size

    def pack(self, value: T) -> bytes:
        """Return the `size` octets of `value`. ValueError when a number does not fit its field."""
        try:
            return self._struct.pack(*(_to_wire(getattr(value, name), kind) for name, kind in self._fields))
        except struct.error as error:
            raise ValueError(f"{type(value).__name__}: {error}") from error

    def unpack(self, octets: bytes) -> T:
        """Return the value in exactly `size` octets. MalformedError when there are more or fewer."""
        if len(octets) != self.size:
            raise MalformedError(f"{len(octets)} octets where {self.size} are due")
        read = zip(self._struct.unpack(octets), self._fields, strict=True)
        return self._make(*(_from_wire(raw, kind) for raw, (_, kind) in read))

    def describe(self, value: T) -> str:
        """Return the fields as one line for people: `name=value`, texts quoted, codes with their meaning."""
        return " ".join(f"{name}={_describe(getattr(value, name), kind)}" for name, kind in self._fields)


_layouts: dict[type[Any], Layout[Any]] = {}


def layout_of(cls: type[T]) -> Layout[T]:
    """Return the layout of a dataclass, computed once. TypeError when a field does not say its format."""
    if cls not in _layouts:
        _layouts[cls] = Layout(cls)
    return _layouts[cls]


def _parts(cls: type[Any]) -> list[tuple[str, Number | Text | Reserved]]:
    parts: list[tuple[str, Number | Text | Reserved]] = []
    for name, hint in get_type_hints(cls, include_extras=True).items():
        if get_origin(hint) is ClassVar:
            constant = getattr(cls, name, None)
            if isinstance(constant, Reserved):
                parts.append((name, constant))
        else:
            parts.append((name, _kind(cls, name, hint)))
    return parts


def _kind(cls: type[Any], name: str, hint: Any) -> Number | Text:
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Number | Text):
            return mark
    raise TypeError(f"{cls.__name__}.{name} does not say how it stands on the wire")


def _to_wire(value: Any, kind: Number | Text | Reserved) -> Any:
    return pad(value, kind.size) if isinstance(kind, Text) else value


def _from_wire(raw: Any, kind: Number | Text | Reserved) -> Any:
    return unpad(raw) if isinstance(kind, Text) else raw


def _describe(value: Any, kind: Number | Text | Reserved) -> str:
    if isinstance(kind, Number) and kind.describe is not None:
        return kind.describe(value)
    return f'"{value}"' if isinstance(kind, Text) else str(value)
