"""What the tests in namespaces share: the bench of the packet engine, and the lab around a gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network import Namespace, join, namespace
from support.engine_lab import FAR_OUTER, OUTER, Bench
from support.gateway_lab import GatewayLab, places
from support.lab_gateway import make_state


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


@pytest.fixture(scope="module")
def namespaces() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """Those of `GatewayLab`, made once."""
    with places() as made:
        yield made


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with users, to be copied."""
    return make_state(tmp_path_factory.mktemp("state") / "template")


@pytest.fixture
def lab(namespaces: tuple[Namespace, Namespace, Namespace], template: Path, tmp_path: Path) -> Iterator[GatewayLab]:
    """The namespaces; what a test started ends with it."""
    made = GatewayLab(*namespaces, tmp_path, template)
    with made.running:
        yield made
