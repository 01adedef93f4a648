"""When to dial again, step by step in virtual time."""

import json
import random
from collections.abc import Callable

import pytest

from holdfast.dialer.reconnect import DOUBTED, Dial, ExitCode, GiveUp, Phase, Reconnect, ReconnectPolicy
from holdfast.errors import DisconnectReason
from holdfast.events import DialScheduled, DialStopped

LOST = DisconnectReason.CONTROL_LOST
TIMEOUT = DisconnectReason.NETWORK_ERROR
WRONG = DisconnectReason.AUTH_FAILED


def constant(fraction: float) -> Callable[[int], bytes]:
    return lambda count: min(int(fraction * 2 ** (8 * count)), 2 ** (8 * count) - 1).to_bytes(count)


def machine(fraction: float = 0.5, **policy: float) -> Reconnect:
    made = Reconnect(ReconnectPolicy(**policy), constant(fraction))  # type: ignore[arg-type]
    made.start(0.0)
    assert made.commands() == [Dial(1)]
    return made


def fail(reconnect: Reconnect, now: float, reason: DisconnectReason = TIMEOUT) -> float:
    """Fail the try that runs; return the wait and begin the next try."""
    reconnect.ended(reason, "no answer", now)
    assert reconnect.deadline is not None
    wait = reconnect.deadline - now
    reconnect.handle_timer(reconnect.deadline)
    return wait


def test_the_first_retry_is_immediate_and_the_rest_grow_to_the_maximum() -> None:
    reconnect = machine(1.0, minimum=1.0, maximum=20.0)
    waits = [round(fail(reconnect, 100.0 * index), 3) for index in range(8)]
    assert waits == [0, 2, 4, 8, 16, 20, 20, 20]


def test_full_jitter_lies_between_minimum_and_cap() -> None:
    low, high = machine(0.0, minimum=2.0, maximum=60.0), machine(1.0, minimum=2.0, maximum=60.0)
    for index in range(6):
        shortest, longest = fail(low, 100.0 * index), fail(high, 100.0 * index)
        if index:
            assert shortest == pytest.approx(2.0)
            assert longest == pytest.approx(min(60.0, 2.0 * 2**index))


def test_a_loss_that_all_share_is_spread() -> None:
    reconnect = machine(0.5, spread=15.0)
    reconnect.up(1.0)
    assert fail(reconnect, 1000.0, LOST) == pytest.approx(7.5)


@pytest.mark.parametrize("reason", [DisconnectReason.SESSION_TIMEOUT, DisconnectReason.IDLE_TIMEOUT])
def test_a_loss_of_ones_own_is_met_at_once(reason: DisconnectReason) -> None:
    reconnect = machine()
    reconnect.up(1.0)
    assert fail(reconnect, 1000.0, reason) == 0


def test_a_server_that_still_answers_is_dialled_at_once() -> None:
    reconnect = machine()
    reconnect.up(1.0)
    reconnect.ended(DisconnectReason.ECHO_TIMEOUT, "GRE is cut", 1000.0, server_answers=True)
    assert reconnect.deadline == 1000.0


def test_a_stable_tunnel_begins_anew_and_a_short_one_does_not() -> None:
    reconnect = machine(0.0, stable_after=60.0, minimum=1.0)
    for index in range(4):
        fail(reconnect, float(index))
    reconnect.up(10.0)
    assert fail(reconnect, 12.0, LOST) == pytest.approx(1.0)
    reconnect.up(20.0)
    assert fail(reconnect, 80.0, LOST) == 0
    assert reconnect.tries == 1


THREE_WEEKS = 3 * 7 * 86400.0


def after_three_good_weeks(fraction: float = 0.5, **policy: float) -> Reconnect:
    """Return one whose tunnel was lost then, and who tries again."""
    reconnect = machine(fraction, **policy)
    reconnect.up(1.0)
    reconnect.ended(LOST, "reset", THREE_WEEKS)
    reconnect.handle_timer(reconnect.deadline or 0)
    reconnect.commands()
    reconnect.events()
    return reconnect


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_a_wrong_password_after_three_good_weeks_is_confirmed_twice_and_then_stops(fraction: float) -> None:
    reconnect, now = after_three_good_weeks(fraction), THREE_WEEKS + 60
    waits = []
    while reconnect.phase is Phase.TRYING:
        reconnect.network_changed(now)
        reconnect.ended(WRONG, "E=691: wrong name or password", now)
        if reconnect.deadline is not None:
            reconnect.network_changed(now + 1)
            waits.append(reconnect.deadline - now)
            now = reconnect.deadline
            reconnect.handle_timer(now)
            assert reconnect.commands() == [Dial(reconnect.tries)]
            assert "this password was right before" in reconnect.events()[-1].evidence  # type: ignore[attr-defined]
    assert len(waits) == 2
    for wait, least in zip(waits, DOUBTED, strict=True):
        assert least <= wait <= 2 * least
    (command,) = reconnect.commands()
    assert isinstance(command, GiveUp)
    assert command.exit_code == ExitCode.HOPELESS
    assert command.message == "E=691: wrong name or password; check user name and password"
    assert isinstance(reconnect.events()[-1], DialStopped)


def test_a_server_whose_radius_is_away_for_five_minutes_gets_its_client_back() -> None:
    reconnect, now = after_three_good_weeks(), THREE_WEEKS + 60
    back = now + 300
    while now < back:
        reconnect.ended(WRONG, "E=691: wrong name or password", now)
        assert reconnect.deadline is not None, "it gave up"
        now = reconnect.deadline
        reconnect.handle_timer(now)
    reconnect.up(now)
    assert reconnect.phase is Phase.UP
    reconnect.ended(WRONG, "E=691: a later one is doubted anew", now + 3600)
    assert reconnect.phase is Phase.WAITING


def test_a_password_that_was_never_good_for_long_is_tried_once() -> None:
    reconnect = machine()
    reconnect.up(1.0)
    reconnect.ended(LOST, "reset", 10.0)
    reconnect.handle_timer(reconnect.deadline or 0)
    reconnect.ended(WRONG, "E=691", 20.0)
    assert reconnect.phase is Phase.STOPPED


def test_who_wants_no_confirmation_gets_none() -> None:
    reconnect = after_three_good_weeks(confirmations=0)
    reconnect.ended(WRONG, "E=691", THREE_WEEKS + 60)
    assert reconnect.phase is Phase.STOPPED


def test_refusals_are_counted_over_other_failures() -> None:
    reconnect, now = after_three_good_weeks(), THREE_WEEKS + 60
    refusals = 0
    while reconnect.phase is Phase.TRYING:
        reconnect.ended(WRONG, "E=691", now)
        refusals += 1
        for _ in range(3):
            if reconnect.deadline is not None:
                now = reconnect.deadline
                reconnect.handle_timer(now)
                reconnect.ended(TIMEOUT, "no answer", now + 1)
        if reconnect.deadline is not None:
            now = reconnect.deadline
            reconnect.handle_timer(now)
    assert refusals == 3


@pytest.mark.parametrize("reason", [DisconnectReason.AUTH_REFUSED, DisconnectReason.ENCRYPTION_MISMATCH])
def test_what_another_try_cannot_mend_stops_even_after_three_good_weeks(reason: DisconnectReason) -> None:
    reconnect = after_three_good_weeks()
    reconnect.ended(reason, "E=691", THREE_WEEKS + 60)
    (command,) = reconnect.commands()
    assert isinstance(command, GiveUp)
    assert command.exit_code == ExitCode.HOPELESS
    assert "E=691" in command.message
    assert reconnect.deadline is None
    assert isinstance(reconnect.events()[-1], DialStopped)


@pytest.mark.parametrize("reason", [DisconnectReason.REPLACED, DisconnectReason.ADMIN, DisconnectReason.LIMIT_REACHED])
def test_a_server_that_sends_us_away_is_believed(reason: DisconnectReason) -> None:
    reconnect = machine(0.0, maximum=60.0)
    reconnect.up(1.0)
    assert fail(reconnect, 1000.0, reason) >= 30.0


def test_a_network_change_ends_the_wait_and_the_back_off() -> None:
    reconnect = machine(1.0)
    for index in range(6):
        fail(reconnect, 100.0 * index)
    reconnect.ended(TIMEOUT, "no answer", 900.0)
    reconnect.commands()
    reconnect.network_changed(901.0)
    assert reconnect.deadline == 901.0
    reconnect.handle_timer(901.0)
    assert reconnect.commands() == [Dial(8)]
    assert fail(reconnect, 902.0) == 0


def test_a_network_change_during_a_try_makes_the_next_immediate() -> None:
    reconnect = machine(1.0)
    for index in range(4):
        fail(reconnect, 100.0 * index)
    reconnect.network_changed(400.0)
    assert fail(reconnect, 401.0) == 0


def test_a_loss_by_a_network_change_is_met_at_once() -> None:
    reconnect = machine(1.0)
    reconnect.up(1.0)
    reconnect.ended(LOST, "our address is gone", 1000.0, network_moved=True)
    assert reconnect.deadline == 1000.0


def test_a_network_change_while_up_changes_nothing_here() -> None:
    reconnect = machine()
    reconnect.up(1.0)
    reconnect.network_changed(2.0)
    assert (reconnect.phase, reconnect.deadline) == (Phase.UP, None)


def test_tries_are_limited() -> None:
    reconnect = machine(maximum_tries=3)
    fail(reconnect, 1.0)
    fail(reconnect, 2.0)
    reconnect.commands()
    reconnect.ended(TIMEOUT, "no answer", 9.0)
    assert reconnect.commands() == [GiveUp(ExitCode.GAVE_UP, "3 tries in a row failed; the last: no answer")]


def test_one_try_is_no_row() -> None:
    reconnect = machine(maximum_tries=1)
    reconnect.commands()
    reconnect.ended(TIMEOUT, "no answer", 1.0)
    assert reconnect.commands() == [GiveUp(ExitCode.GAVE_UP, "the only try failed: no answer")]


def test_total_time_is_limited() -> None:
    reconnect = machine(1.0, maximum_time=30.0)
    now = 0.0
    while reconnect.phase is not Phase.STOPPED:
        now = reconnect.deadline or now
        reconnect.handle_timer(now)
        now += 1
        reconnect.ended(TIMEOUT, "no answer", now)
    assert now <= 30.0


def test_without_persistence_one_try_is_all() -> None:
    reconnect = machine(persist=False)
    reconnect.ended(TIMEOUT, "no answer", 1.0)
    assert reconnect.commands() == [GiveUp(ExitCode.GAVE_UP, "no answer")]


def test_stop_is_final() -> None:
    reconnect = machine()
    reconnect.stop("interrupted")
    reconnect.ended(TIMEOUT, "gone", 1.0)
    reconnect.network_changed(2.0)
    reconnect.stop("again")
    assert reconnect.commands() == [GiveUp(ExitCode.DONE, "interrupted")]
    assert reconnect.deadline is None


def test_a_wait_is_told() -> None:
    reconnect = machine(0.5, spread=10.0)
    reconnect.up(1.0)
    reconnect.ended(LOST, "connection reset", 100.0)
    assert reconnect.events() == [DialScheduled(1, 5.0, LOST, "connection reset")]


def test_it_continues_from_a_snapshot_wherever_it_stood() -> None:
    for steps in range(12):
        source, copy = random.Random(5), random.Random(5)
        original = Reconnect(ReconnectPolicy(), source.randbytes)
        walk(original, range(steps))
        copy.setstate(source.getstate())
        state = json.loads(json.dumps(original.snapshot()))
        restored = Reconnect.restore(state, ReconnectPolicy(), copy.randbytes)
        assert walk(original, range(steps, 12)) == walk(restored, range(steps, 12))


def walk(reconnect: Reconnect, steps: range) -> list[object]:
    seen: list[object] = []
    for step in steps:
        now = step * 70.0
        reconnect.start(now)
        reconnect.handle_timer(now)
        if step % 3 == 1:
            reconnect.up(now)
        reconnect.ended(LOST if step % 2 else TIMEOUT, "gone", now + 65)
        if step % 5 == 4:
            reconnect.network_changed(now + 66)
        seen += [*reconnect.events(), *reconnect.commands()] if step != steps.start else reconnect.events()[-1:]
        reconnect.commands()
    return seen


def test_encryption_that_was_lost_is_tried_again_but_one_that_is_refused_is_not() -> None:
    reconnect = machine()
    reconnect.up(1.0)
    reconnect.ended(DisconnectReason.ENCRYPTION_MISMATCH, "the peer lost step", 50.0)
    assert reconnect.phase is Phase.WAITING
    assert reconnect.deadline is not None
    reconnect.handle_timer(reconnect.deadline)
    reconnect.ended(DisconnectReason.ENCRYPTION_MISMATCH, "the peer refuses", 60.0)
    assert reconnect.phase is Phase.STOPPED
