"""Steps of a run, timed."""

import asyncio

import pytest

from holdfast.probe.course import Course
from holdfast.probe.outcome import Stage


@pytest.mark.asyncio
async def test_steps_are_timed_and_the_last_one_is_known() -> None:
    course = Course()
    assert course.stage is Stage.HOST
    course.enter(Stage.NAME)
    await asyncio.sleep(0.01)
    course.done()
    course.enter(Stage.CONNECT)
    assert course.stage is Stage.CONNECT
    assert list(course.steps) == ["name"]
    assert 0.005 < course.steps["name"] <= course.seconds
