"""A state directory, and a clock that stands where it is put."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.policy.store import Store
from holdfast.policy.users import Users


class Clock:
    """Seconds since 1970, as the test says."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    with Store.open(state) as opened:
        yield opened


@pytest.fixture
def users(store: Store, clock: Clock) -> Users:
    return Users(store, clock)
