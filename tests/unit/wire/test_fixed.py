"""Declared structs."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import pytest

from holdfast.wire.errors import MalformedError
from holdfast.wire.fixed import Number, Reserved, Text, Uint8, Uint16, Uint32, layout_of


@dataclass(frozen=True, slots=True)
class Sample:
    kind: ClassVar[int] = 7
    version: Uint16
    reserved1: ClassVar[Reserved] = Reserved(3)
    flag: Uint8
    word: Annotated[int, Number("I", hex)]
    name: Annotated[str, Text(4)]


OCTETS = bytes.fromhex("0102 000000 03 0a0b0c0d") + b"ab\0\0"
VALUE = Sample(0x0102, 3, 0x0A0B0C0D, "ab")


def test_pack_and_unpack() -> None:
    layout = layout_of(Sample)
    assert layout.size == len(OCTETS)
    assert layout.pack(VALUE) == OCTETS
    assert layout.unpack(OCTETS) == VALUE


def test_reserved_octets_do_not_matter() -> None:
    assert layout_of(Sample).unpack(OCTETS[:2] + b"xyz" + OCTETS[5:]) == VALUE


def test_layouts_are_computed_once() -> None:
    assert layout_of(Sample) is layout_of(Sample)


@pytest.mark.parametrize("octets", [b"", OCTETS[:-1], OCTETS + b"\0"])
def test_wrong_size(octets: bytes) -> None:
    with pytest.raises(MalformedError, match="14 are due"):
        layout_of(Sample).unpack(octets)


@pytest.mark.parametrize("version", [-1, 65536])
def test_a_number_that_does_not_fit(version: int) -> None:
    with pytest.raises(ValueError, match="Sample"):
        layout_of(Sample).pack(Sample(version, 0, 0, ""))


def test_describe() -> None:
    assert layout_of(Sample).describe(VALUE) == 'version=258 flag=3 word=0xa0b0c0d name="ab"'


def test_a_field_without_a_format() -> None:
    @dataclass
    class Vague:
        number: int

    with pytest.raises(TypeError, match=r"Vague\.number"):
        layout_of(Vague)


def test_plain_words() -> None:
    @dataclass(frozen=True)
    class Words:
        first: Uint32

    assert layout_of(Words).pack(Words(1)) == b"\0\0\0\1"
