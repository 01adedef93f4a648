"""Sinks that are closed when their test is over."""

from collections.abc import Callable, Iterator

import pytest

from holdfast.observe.sinks.address import parse_sink
from holdfast.observe.sinks.make import make_sink
from holdfast.observe.sinks.runner import Sink


@pytest.fixture
def sink() -> Iterator[Callable[[str], Sink]]:
    """Make sinks from their addresses."""
    made: list[Sink] = []

    def make(text: str) -> Sink:
        made.append(make_sink(parse_sink(text)))
        return made[-1]

    yield make
    for one in made:
        one.close()
