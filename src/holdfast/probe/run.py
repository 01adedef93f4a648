"""One run of one probe: whatever happens becomes an outcome."""

import asyncio

from holdfast.probe.course import Course
from holdfast.probe.fetch import fetch
from holdfast.probe.lookup import look_up
from holdfast.probe.outcome import Outcome, ProbeFailedError, Stage, refusal
from holdfast.probe.ping import judge, ping
from holdfast.probe.place import Place
from holdfast.probe.settings import Fetch, Lookup, Ping, Probe

WORDS = {
    Stage.HOST: "this host",
    Stage.NAME: "the name",
    Stage.CONNECT: "the TCP connection",
    Stage.TLS: "TLS",
    Stage.ANSWER: "the answer",
}
"""The steps as they are called in sentences."""


async def run(probe: Probe, place: Place) -> Outcome:
    """Run it now. What fails is said in the outcome; nothing is raised but for being cancelled."""
    course = Course()
    try:
        return await _ask(probe, place, course)
    except TimeoutError:
        said = course.note or f"no answer within {probe.timeout:g} s"
        detail = f"{WORDS.get(course.stage, course.stage)}: {said}"
        return Outcome(detail, course.seconds, course.stage, timed_out=True, steps=course.steps)
    except ProbeFailedError as error:
        return Outcome(error.detail, course.seconds, error.stage, steps=course.steps)
    except OSError as error:
        detail = f"{WORDS.get(course.stage, course.stage)}: {refusal(error)}"
        return Outcome(detail, course.seconds, course.stage, steps=course.steps)


async def _ask(probe: Probe, place: Place, course: Course) -> Outcome:
    match probe.what:
        case Ping() as what:
            detail, ways = await ping(what, place, course, probe.timeout)
            return Outcome(detail, course.seconds, judge(what, ways), steps=course.steps, ways=ways)
        case Lookup() as what:
            async with asyncio.timeout(probe.timeout):
                detail = await look_up(what, place, course)
        case Fetch() as what:
            async with asyncio.timeout(probe.timeout):
                detail = await fetch(what, place, course)
    return Outcome(detail, course.seconds, steps=course.steps)
