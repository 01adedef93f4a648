"""What the tests of the packet engine share."""

from collections.abc import Iterator

import pytest

from lab.network import Namespace, join, namespace
from support.engine_lab import FAR_OUTER, OUTER, Bench


@pytest.fixture(scope="module")
def spaces() -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a cable between them."""
    with namespace("engine") as near, namespace("far") as far:
        join(near, f"{OUTER}/24", far, f"{FAR_OUTER}/24", label="cable")
        near.ip("address", "add", "192.0.2.7/24", "dev", "cable")
        yield near, far


@pytest.fixture
def bench(spaces: tuple[Namespace, Namespace]) -> Iterator[Bench]:
    """An engine and the far end of its one call."""
    made = Bench(*spaces)
    yield made
    made.close()
