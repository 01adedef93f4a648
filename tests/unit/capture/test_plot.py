from pathlib import Path

import pytest

from holdfast.capture.plot import HALF, plot_between, plot_of
from holdfast.capture.vantage import compare
from support.scene import Scene


def test_both_directions_share_one_axis(tmp_path: Path) -> None:
    drawn = plot_of(Scene().up().talk(20).goodbye().case(tmp_path).sessions[0])
    assert drawn is not None
    assert {bar.up for bar in drawn.bars} == {True, False}
    assert all(bar.y + bar.height == pytest.approx(HALF, abs=0.1) for bar in drawn.bars if bar.up)
    assert all(bar.y == HALF for bar in drawn.bars if not bar.up)
    assert all(0 <= bar.x <= 100 and bar.x + bar.width <= 100.01 for bar in drawn.bars)
    assert drawn.ticks[0] == (0.0, "0 s")
    assert 2 <= len(drawn.ticks) <= 10


def test_what_is_missing_stands_on_its_bar(tmp_path: Path) -> None:
    drawn = plot_of(Scene().up().talk(10).lose(True, 5).talk(20).case(tmp_path).sessions[0])
    assert drawn is not None
    (bar,) = [bar for bar in drawn.bars if bar.lost]
    assert bar.up
    assert "5 missing" in bar.text


def test_one_that_falls_silent_is_seen(tmp_path: Path) -> None:
    scene = Scene().up().talk(10)
    for _ in range(20):
        scene.data(True).wait(1)
    drawn = plot_of(scene.case(tmp_path).sessions[0])
    assert drawn is not None
    (silence,) = drawn.silences
    assert not silence.up
    assert 19 <= float(silence.text.split()[0]) <= 21


def test_a_pause_of_both_is_no_silence(tmp_path: Path) -> None:
    drawn = plot_of(Scene().up().talk(10).wait(30).talk(10).case(tmp_path).sessions[0])
    assert drawn is not None
    assert drawn.silences == []


def test_too_little_is_not_drawn(tmp_path: Path) -> None:
    assert plot_of(Scene().call().case(tmp_path).sessions[0]) is None


def test_what_vanished_between_two(tmp_path: Path) -> None:
    scene = Scene().up().talk(20)
    far = Scene()
    far.frames = [frame for number, frame in enumerate(scene.frames) if number not in (60, 62)]
    cases = []
    for name, each in (("client", scene), ("server", far)):
        (tmp_path / name).mkdir()
        cases.append(each.case(tmp_path / name))
    (pair,) = compare(*cases)
    drawn = plot_between(pair)
    assert drawn is not None
    assert sum("missing" in bar.text for bar in drawn.bars) in (1, 2)
