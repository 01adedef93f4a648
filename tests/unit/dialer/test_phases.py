"""How long each step took."""

from holdfast.dialer.phases import Phase, Step, Stopwatch


def test_each_step_is_timed_from_the_one_before_and_told() -> None:
    clock = iter([10.0, 10.001, 10.0235])
    told: list[Step] = []
    watch = Stopwatch(lambda: next(clock), told.append)
    assert (watch.last, watch.total) == ("start", 0)
    watch.reached(Phase.TCP)
    watch.reached(Phase.CONTROL, "local linux")
    assert told == watch.steps == [Step(Phase.TCP, 1.0), Step(Phase.CONTROL, 22.5, "local linux")]
    assert (watch.last, watch.total) == ("control", 23.5)


def test_a_step_counts_once() -> None:
    watch = Stopwatch(lambda: 0.0)
    watch.reached(Phase.LCP, "first")
    watch.reached(Phase.LCP, "again")
    assert [step.detail for step in watch.steps] == ["first"]
