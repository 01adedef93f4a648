"""One lab for all tests of this folder: a guest boots once, each test starts its gateway and dials anew."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab import image
from lab.guest import Guest
from support.lab_gateway import Gateway, GatewayMaker, Section, make_state
from support.lab_world import World, world

FAILED = pytest.StashKey[bool]()


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


@pytest.fixture(scope="session")
def state_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the tests' users, to be copied."""
    return make_state(tmp_path_factory.mktemp("state") / "template")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, for `gateway` to add what it knows."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def gateway(
    request: pytest.FixtureRequest, lab_world: World, tmp_path: Path, state_template: Path
) -> Iterator[GatewayMaker]:
    """Start a gateway; sections of its configuration are keyword arguments."""
    with ExitStack() as running:

        def make(**sections: Section) -> Gateway:
            made = running.enter_context(Gateway(lab_world.gateway, tmp_path, state_template, sections))
            running.callback(lambda: print(made.story) if request.node.stash.get(FAILED, False) else None)
            return made

        yield make
