"""Six scenarios of the corpus from the peers to the judgement."""

from pathlib import Path

import pytest

from bench.truth import WANTED, score, wrong
from holdfast.capture.diagnosis import diagnose
from lab.corpus.build import build, file_name, read_labels
from lab.corpus.scenarios import ALL

REPRESENTATIVE = (
    "healthy-128",
    "wrong-password",
    "strength-client-40",
    "gre-dropped",
    "port-closed",
    "control-hangs-up",
)
CHOSEN = [scenario for scenario in ALL if scenario.name in REPRESENTATIVE]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The captures of these scenarios."""
    folder = tmp_path_factory.mktemp("corpus")
    build(folder, CHOSEN)
    return folder


@pytest.mark.lab
@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_the_cause_is_named_at_every_place(corpus: Path, name: str) -> None:
    scenario = next(each for each in CHOSEN if each.name == name)
    for view in scenario.views:
        path = corpus / file_name(scenario, view)
        assert wrong(diagnose([str(path)]), view.expected) == ""


@pytest.mark.lab
def test_the_score_names_every_miss(corpus: Path) -> None:
    said: list[str] = []
    labels = read_labels(corpus)
    assert len(labels) == sum(len(scenario.views) for scenario in CHOSEN)
    assert score(corpus, labels, said.append).share >= WANTED
    swapped = labels | {"healthy-128.client.pcap": ["gre-loss"], "wrong-password.server.pcap": ["healthy"]}
    found = score(corpus, swapped, said.append)
    assert set(found.misses) == {"healthy-128.client.pcap", "wrong-password.server.pcap"}
