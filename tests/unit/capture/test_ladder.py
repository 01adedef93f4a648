from pathlib import Path

from holdfast.capture.findings.catalogue import judge
from holdfast.capture.ladder import ROWS_MOST, Row, rows
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
    marked = [row.label for row in ladder(Scene().call().lcp().refuse().goodbye(False), tmp_path) if row.fault]
    assert "CHAP Failure" in marked
    assert "SYN" not in marked


def test_what_repeats_is_one_arrow(tmp_path: Path) -> None:
    scene = Scene().up()
    for _ in range(20):
        scene.data(True)
    assert max(row.count for row in ladder(scene, tmp_path)) >= 20


def test_a_long_session_stays_short(tmp_path: Path) -> None:
    assert len(ladder(Scene().up().talk(400, 0.01), tmp_path)) <= ROWS_MOST
