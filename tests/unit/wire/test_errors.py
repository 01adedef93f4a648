"""Decoders complain with one type of error."""

from holdfast.wire.errors import MalformedError


def test_malformed_is_a_value_error() -> None:
    assert issubclass(MalformedError, ValueError)
