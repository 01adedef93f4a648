"""Finding calls, and ending all of them."""

from holdfast.control.call import Call, CallInput, CallKind, CallState
from holdfast.control.calls import REMEMBERED, CallBook, Outcome
from holdfast.control.commands import AnswerCall
from holdfast.control.config import ControlConfig
from holdfast.control.outbox import Outbox
from holdfast.events import CallCleared, CallRefused


def book_with(*calls: Call) -> tuple[CallBook, Outbox]:
    outbox = Outbox(trace=False)
    book = CallBook(ControlConfig(max_calls=4, reply_timeout=60, clear_timeout=5), outbox)
    for call in calls:
        book.add(call)
    return book, outbox


def pns_call(local: int, peer: int | None, state: CallState = CallState.ESTABLISHED) -> Call:
    return Call(CallKind.PNS_OUTGOING, local, peer, 1, state)


def pac_call(local: int | None, peer: int, state: CallState = CallState.ESTABLISHED) -> Call:
    return Call(CallKind.PAC_OUTGOING, local, peer, 1, state)


class TestByEither:
    """A Call-Disconnect-Notify carries the PAC's Call ID (2.13); some peers put the PNS's there."""

    def test_the_sender_s_id_first(self) -> None:
        right, wrong = pns_call(0, 1), pns_call(1, 2)
        assert book_with(right, wrong)[0].by_either(1) is right

    def test_ours_when_the_sender_s_fits_none(self) -> None:
        call = pns_call(0, 11755)
        assert book_with(call)[0].by_either(0) is call

    def test_rather_the_call_that_is_being_cleared(self) -> None:
        living, clearing = pns_call(0, 1), pns_call(1, 2, CallState.WAIT_DISCONNECT)
        assert book_with(living, clearing)[0].by_either(1) is clearing

    def test_an_unknown_id_names_the_only_call_without_one(self) -> None:
        """We cleared before the reply told us the PAC's Call ID."""
        nameless = pns_call(0, None, CallState.WAIT_DISCONNECT)
        assert book_with(nameless, pns_call(1, 5))[0].by_either(77) is nameless
        assert book_with(nameless, pns_call(1, None, CallState.WAIT_REPLY))[0].by_either(77) is None

    def test_none(self) -> None:
        assert book_with(pns_call(0, 1))[0].by_either(9) is None


def test_call_id_0_is_a_call_id() -> None:
    call = pac_call(0, 0)
    book, _ = book_with(call)
    assert book.by_local(0) is book.by_peer(0) is call
    assert book.by_local(1) is None


def test_ended_calls_are_remembered_for_a_while() -> None:
    book, _ = book_with()
    for number in range(REMEMBERED + 2):
        call = pac_call(100 + number, 200 + number)
        book.add(call)
        book.step(call, CallInput.TERMINATE, 0.0)
    assert not book.recently_ended(100)
    assert not book.recently_ended(201)
    assert book.recently_ended(102)
    assert book.recently_ended(209)


def test_full() -> None:
    book, _ = book_with(*[pac_call(number, number) for number in range(3)])
    assert not book.full
    book.add(pac_call(9, 9))
    assert book.full


def test_a_step_that_is_not_allowed_changes_nothing() -> None:
    call = pac_call(1, 2)
    book, outbox = book_with(call)
    assert not book.step(call, CallInput.CONNECTED, 0.0)
    assert call.state is CallState.ESTABLISHED
    assert not outbox.pending


def test_waits_are_bounded_by_state() -> None:
    call = pns_call(0, None, CallState.WAIT_REPLY)
    book, _ = book_with(call)
    book.step(call, CallInput.TERMINATE, 100.0)
    assert book.deadline == 105.0
    book.handle_timer(104.9)
    assert len(book) == 1
    book.handle_timer(105.0)
    assert (len(book), book.deadline) == (0, None)


def test_goodbye_leaves_no_call() -> None:
    waiting = pac_call(None, 3, CallState.WAIT_CS_ANS)
    waiting.request = AnswerCall(3, 1, incoming=False)
    book, outbox = book_with(pac_call(1, 2), waiting)
    assert book.unanswered() == [waiting.request]
    book.goodbye(0.0, "leaving")
    assert len(book) == 0
    assert len(outbox.drain_octets()) == 2
    assert outbox.drain_events() == [CallCleared(1, False, 3, 0, "leaving"), CallRefused(-1, 3, 2, 4, "leaving")]


def test_goodbye_of_a_pns_waits_for_no_confirmation() -> None:
    book, outbox = book_with(pns_call(1, 2), pns_call(3, 4, CallState.WAIT_DISCONNECT))
    book.goodbye(0.0, "leaving")
    assert len(book) == 0
    assert [type(event) for event in outbox.drain_events()] == [CallCleared, CallCleared]


def test_drop_says_nothing_to_the_peer() -> None:
    book, outbox = book_with(pac_call(1, 2), pac_call(None, 3, CallState.WAIT_CS_ANS))
    book.drop(1, "gone", by_peer=True)
    assert outbox.drain_octets() == []
    assert outbox.drain_events() == [CallCleared(1, True, 1, 0, "gone"), CallRefused(-1, 3, 1, 0, "gone")]


def test_a_call_that_we_were_clearing_was_not_cleared_by_the_peer() -> None:
    book, outbox = book_with(pns_call(1, 2, CallState.WAIT_DISCONNECT), pns_call(3, 4))
    book.drop(4, "stopped", by_peer=True)
    events = outbox.drain_events()
    assert [event.by_peer for event in events if isinstance(event, CallCleared)] == [False, True]


def test_stop_and_continue() -> None:
    call = pns_call(5, None, CallState.WAIT_REPLY)
    book, _ = book_with(call, pns_call(6, 7))
    book.step(book.by_local(6) or call, CallInput.DISCONNECT_NOTIFY, 0.0, Outcome(4))
    again, _ = book_with()
    again.load(book.snapshot())
    assert again.by_local(5) == call
    assert again.recently_ended(7)
