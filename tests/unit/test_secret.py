"""A secret shows itself nowhere but where it is opened."""

import copy
import pickle
from dataclasses import dataclass

import pytest

from holdfast.secret import Secret

WORD = b"turquoise"
SECRET = Secret(WORD)


@dataclass
class Holder:
    password: Secret


@pytest.mark.parametrize(
    "text",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>20}",
        f"{SECRET:x}",
        repr([SECRET]),
        repr(Holder(SECRET)),
        repr(ValueError("wrong", SECRET)),
    ],
)
def test_never_in_a_text(text: str) -> None:
    assert "turquoise" not in text
    assert "***" in text


def test_opened() -> None:
    assert SECRET.reveal() == WORD
    assert Secret.from_text("Größe").reveal() == "Größe".encode()
    assert (len(SECRET), bool(SECRET), bool(Secret(b""))) == (9, True, False)


def test_equality_is_that_of_the_octets() -> None:
    assert Secret(b"turquoise") == SECRET
    assert Secret(b"other") != SECRET
    assert SECRET != WORD
    assert len({SECRET, Secret(WORD)}) == 1


def test_changing_the_source_changes_nothing() -> None:
    source = bytearray(WORD)
    secret = Secret(source)
    source[:] = b"x" * len(source)
    assert secret.reveal() == WORD


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(SECRET, protocol)
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(SECRET)


def test_no_attributes_to_look_into() -> None:
    assert not hasattr(SECRET, "__dict__")
    with pytest.raises(AttributeError):
        SECRET.note = "x"
