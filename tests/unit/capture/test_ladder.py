from pathlib import Path

from holdfast.capture.findings.catalogue import judge
from holdfast.capture.ladder import ROWS_MOST, Pause, Row, rows, steps
from support.scene import Scene


def ladder(scene: Scene, folder: Path) -> list[Row]:
    case = scene.case(folder)
    return rows(case.sessions[0], judge(case).of(case.sessions[0]))


def test_everything_that_was_said_in_order(tmp_path: Path) -> None:
    found = ladder(Scene().up().goodbye(), tmp_path)
    assert [row.label for row in found[:4]] == [
        "SYN",
        "SYN ACK",
        *(f"Start-Control-Connection-{w}" for w in ("Request", "Reply")),
    ]
    assert [row.moment for row in found] == sorted(row.moment for row in found)
    assert {row.layer for row in found} == {"tcp", "control", "lcp", "auth", "ccp", "ipcp", "data"}


def test_the_fault_is_marked(tmp_path: Path) -> None:
    marked = [row.label for row in ladder(Scene().call().lcp().refuse().goodbye(False), tmp_path) if row.faults]
    assert "CHAP Failure" in marked
    assert "SYN" not in marked


def test_what_repeats_is_one_arrow(tmp_path: Path) -> None:
    scene = Scene().up()
    for _ in range(20):
        scene.data(True)
    assert max(row.count for row in ladder(scene, tmp_path)) >= 20


def test_data_to_and_fro_is_one_arrow(tmp_path: Path) -> None:
    data = [row for row in ladder(Scene().up().talk(5), tmp_path) if row.layer == "data"]
    assert [row.counts for row in data] == [[15, 15]]
    assert data[0].both
    assert data[0].caption == "data 15 \u2192 15 \u2190"


def test_time_in_which_nothing_comes_is_a_pause(tmp_path: Path) -> None:
    drawn = steps(ladder(Scene().call().wait(7).terminate(True), tmp_path))
    assert Pause("7.0 s nothing") in drawn


def test_a_long_session_stays_short_and_keeps_its_fault(tmp_path: Path) -> None:
    scene = Scene().call()
    for number in range(300):
        scene.ppp(True, 0xC021, 1, bytes((1, 4)) + number.to_bytes(2), 1)
    found = ladder(scene, tmp_path)
    found[150].faults = ["lcp-loop"]
    drawn = steps(found)
    assert len(drawn) <= ROWS_MOST + 8
    assert found[150] in drawn
    assert found[100] not in drawn
    assert any(isinstance(step, Pause) and "are not drawn" in step.text for step in drawn)
