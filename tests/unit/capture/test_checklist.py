from pathlib import Path

import pytest

from holdfast.capture.checklist import APART, STEP_OF, Item, State, Step, sentence
from holdfast.capture.findings.catalogue import entries
from support.scene import Scene


def steps(scene: Scene, folder: Path) -> dict[str, tuple[str, str]]:
    (session,) = scene.diagnosis(folder).as_data()["sessions"]
    return {item["step"]: (item["verdict"], item["finding"]) for item in session["checklist"]}


def test_every_finding_belongs_to_a_step_or_to_none() -> None:
    assert set(STEP_OF) | APART == set(entries())
    assert not set(STEP_OF) & APART


def test_a_session_that_is_well_is_well_at_each_step(tmp_path: Path) -> None:
    seen = steps(Scene().up().talk(30).goodbye(), tmp_path)
    assert list(seen) == [step.value for step in Step], "in the order of reading"
    assert set(seen.values()) == {("ok", "")}


@pytest.mark.parametrize(
    ("scene", "step", "finding"),
    [
        (Scene().call().lcp().refuse().goodbye(False), Step.LOGIN, "auth-rejected"),
        (
            Scene().tcp(True, 2).wait(1).tcp(True, 2, sequence=1000).wait(2).tcp(True, 2, sequence=1000).wait(9),
            Step.TCP,
            "control-filtered",
        ),
    ],
)
def test_the_step_that_fails_is_marked_and_later_ones_are_not_seen(
    scene: Scene, step: Step, finding: str, tmp_path: Path
) -> None:
    seen = steps(scene, tmp_path)
    order = list(Step)
    assert seen[step.value] == (State.FAULT.value, finding)
    for earlier in order[: order.index(step)]:
        assert seen[earlier.value] == ("ok", "")
    assert seen[Step.MPPE.value] == seen[Step.TRAFFIC.value] == ("not seen", "")


def test_neighbours_with_the_same_verdict_share_it() -> None:
    items = [Item(Step.TCP, State.OK), Item(Step.CONTROL, State.OK), Item(Step.GRE, State.FAULT, "gre-missing")]
    assert sentence(items) == "TCP handshake, control messages: ok; GRE both ways: FAULT gre-missing"
    assert sentence(items[:2]) == "every step: ok"
