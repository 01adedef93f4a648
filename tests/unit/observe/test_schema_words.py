"""Every word is used, and every field has one."""

from dataclasses import fields

from holdfast.events import Event
from holdfast.observe.schema import event_types, meaning
from holdfast.observe.schema_words import ENVELOPE_WORDS, FIELD_WORDS, SPECIAL_WORDS

USED = {(kind.name, field.name) for kind in event_types() for field in fields(kind)}


def _bare(kind: type[Event], field: str) -> bool:
    return meaning(kind, field) == field


def test_every_field_of_every_event_has_its_words() -> None:
    missing = [
        f"{kind.name}.{field.name}" for kind in event_types() for field in fields(kind) if _bare(kind, field.name)
    ]
    assert not missing, "write what they mean into observe/schema_words.py"


def test_no_words_are_left_of_fields_that_are_gone() -> None:
    assert not {*FIELD_WORDS} - {name for _, name in USED}
    assert not {*SPECIAL_WORDS} - USED


def test_a_field_has_its_words_in_one_place() -> None:
    assert not {*FIELD_WORDS} & {*ENVELOPE_WORDS}
