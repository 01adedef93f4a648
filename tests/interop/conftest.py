"""One lab for all tests of this folder: a guest boots once, each test dials anew."""

from collections.abc import Iterator

import pytest

from lab import image
from lab.guest import Guest
from support.lab_world import World, world


@pytest.fixture(scope="session")
def lab_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The network with the guest in it."""
    with world(image.ensure(), tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest.fixture
def guest(lab_world: World) -> Guest:
    """The guest with the real peers."""
    assert lab_world.guest.alive, lab_world.guest.console
    return lab_world.guest
