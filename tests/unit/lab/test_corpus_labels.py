from collections import Counter

from holdfast.capture.findings.catalogue import entries
from lab.corpus.build import file_name
from lab.corpus.scenario import HEALTHY
from lab.corpus.scenarios import ALL


def test_every_label_is_a_finding() -> None:
    labels = {word for scenario in ALL for view in scenario.views for word in view.expected}
    assert labels <= entries().keys() | {"nothing"}


def test_every_capture_has_a_name_of_its_own() -> None:
    names = Counter(file_name(scenario, view) for scenario in ALL for view in scenario.views)
    assert {name for name, count in names.items() if count > 1} == set()
    assert len(names) >= 60


def test_healthy_ones_are_many() -> None:
    healthy = [scenario for scenario in ALL if all(view.expected == HEALTHY for view in scenario.views)]
    assert len(healthy) >= 15
