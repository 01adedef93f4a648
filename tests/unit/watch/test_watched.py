from holdfast.watch.packets import look
from holdfast.watch.watched import CHECKS, LATER, NEVER_SPOKE, SECOND, SETTLE, SETTLE_MOST, SILENT, Watched, verdict_of
from support.live import captured
from support.scene import CLIENT, SERVER, Scene

KEY = (bytes((192, 0, 2, 10)), 40000, bytes((198, 51, 100, 20)), 1723)


def watched(scene: Scene) -> Watched:
    packets = captured(scene)
    made = Watched("w1", "eth0", KEY, packets[0].nanoseconds)
    for one in packets:
        seen = look(one.ether_type, one.octets)
        assert seen is not None
        made.take(one.nanoseconds, seen, one.length)
    return made


def test_a_verdict() -> None:
    made = watched(Scene().up())
    assert made.ends == (CLIENT, SERVER)
    verdict = verdict_of(made.check(made.last, 0))
    assert verdict.up
    assert verdict.phase == "traffic"
    assert verdict.serious == ()
    failed = watched(Scene().call().lcp().refuse().goodbye(False))
    verdict = verdict_of(failed.check(failed.last, 0))
    assert not verdict.up
    assert [finding.id for finding in verdict.surely()] == ["auth-rejected"]


def test_what_the_ring_lost_is_no_loss_of_the_line() -> None:
    scene = Scene().up()
    scene.numbers[True] += 400
    for _ in range(100):
        scene.ppp(True, 0xFD, 1, b"")
    made = watched(scene)
    serious = [[one.id for one in verdict_of(made.capture.diagnose(made.last, lost)).serious] for lost in (0, 400)]
    assert ("gre-loss" in serious[0], "gre-loss" in serious[1]) == (True, False)


def test_when_it_is_over() -> None:
    made = watched(Scene().up())
    made.begun = True
    assert not made.over(made.last + int((SILENT - 1) * SECOND))
    assert made.over(made.last + int(SILENT * SECOND))
    made.goodbye = made.last
    assert made.over(made.last + int(SETTLE * SECOND))
    made.last = made.goodbye + int((SETTLE_MOST - 1) * SECOND)
    assert not made.over(made.last + SECOND // 2)
    assert made.over(made.last + int(SETTLE * SECOND))
    stranger = watched(Scene().handshake())
    assert stranger.over(stranger.last + int(NEVER_SPOKE * SECOND))


def test_when_it_is_looked_at() -> None:
    made = watched(Scene().up())
    assert not made.due(made.born + int((CHECKS[0] - 1) * SECOND))
    for seconds in CHECKS:
        made.last = made.born + int(seconds * SECOND)
        assert made.due(made.last)
        made.check(made.last, 0)
        assert not made.due(made.last + SECOND), "nothing came since"
    made.last += int((LATER - 1) * SECOND)
    assert not made.due(made.last)
    made.last += SECOND
    assert made.due(made.last)
    made.goodbye = made.last
    assert not made.due(made.last)
