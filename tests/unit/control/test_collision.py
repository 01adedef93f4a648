"""RFC 2637 section 3.1.3."""

import pytest

from holdfast.control.collision import wins_collision


def test_the_example_of_the_rfc() -> None:
    assert wins_collision("192.33.45.89", "192.33.45.17")
    assert not wins_collision("192.33.45.17", "192.33.45.89")


def test_addresses_are_numbers_not_text() -> None:
    assert wins_collision("10.0.0.10", "10.0.0.9")
    assert wins_collision("200.0.0.1", "100.0.0.1")


def test_not_an_address() -> None:
    with pytest.raises(ValueError):
        wins_collision("10.0.0.1", "pac.example")
