"""The call table against the diagrams of RFC 2637 sections 3.2.3 and 3.2.4, pair by pair."""

import pytest

from holdfast.control.call import TABLE, Call, CallAction, CallInput, CallKind, CallState
from holdfast.control.codes import Role
from holdfast.control.commands import AnswerCall

A, X, K, S = CallAction, CallInput, CallKind, CallState

ARROWS = [
    # 3.2.3.1 PAC incoming
    (K.PAC_INCOMING, S.IDLE, X.PLACE, [A.SEND_REQUEST], S.WAIT_REPLY),
    (K.PAC_INCOMING, S.WAIT_REPLY, X.REPLY_REFUSED, [], S.IDLE),
    (K.PAC_INCOMING, S.WAIT_REPLY, X.REPLY_ACCEPTED, [A.SEND_CONNECTED], S.ESTABLISHED),
    (K.PAC_INCOMING, S.WAIT_REPLY, X.TERMINATE, [A.SEND_DISCONNECT_NOTIFY], S.IDLE),
    (K.PAC_INCOMING, S.ESTABLISHED, X.CLEAR_REQUEST, [A.SEND_DISCONNECT_NOTIFY], S.IDLE),
    (K.PAC_INCOMING, S.ESTABLISHED, X.TERMINATE, [A.SEND_DISCONNECT_NOTIFY], S.IDLE),
    # 3.2.3.2 PNS incoming
    (K.PNS_INCOMING, S.IDLE, X.REQUEST, [A.ASK], S.WAIT_DECISION),
    (K.PNS_INCOMING, S.WAIT_DECISION, X.REFUSE, [A.SEND_REFUSAL], S.IDLE),
    (K.PNS_INCOMING, S.WAIT_DECISION, X.ACCEPT, [A.SEND_ACCEPTANCE], S.WAIT_CONNECT),
    (K.PNS_INCOMING, S.WAIT_CONNECT, X.CONNECTED, [], S.ESTABLISHED),
    (K.PNS_INCOMING, S.WAIT_CONNECT, X.DISCONNECT_NOTIFY, [], S.IDLE),
    (K.PNS_INCOMING, S.ESTABLISHED, X.DISCONNECT_NOTIFY, [], S.IDLE),
    (K.PNS_INCOMING, S.ESTABLISHED, X.TERMINATE, [A.SEND_CLEAR_REQUEST], S.WAIT_DISCONNECT),
    (K.PNS_INCOMING, S.WAIT_DISCONNECT, X.DISCONNECT_NOTIFY, [], S.IDLE),
    # 3.2.4.1 PAC outgoing
    (K.PAC_OUTGOING, S.IDLE, X.REQUEST, [A.ASK], S.WAIT_CS_ANS),
    (K.PAC_OUTGOING, S.WAIT_CS_ANS, X.REFUSE, [A.SEND_REFUSAL], S.IDLE),
    (K.PAC_OUTGOING, S.WAIT_CS_ANS, X.TIMEOUT, [A.SEND_REFUSAL], S.IDLE),
    (K.PAC_OUTGOING, S.WAIT_CS_ANS, X.CLEAR_REQUEST, [A.SEND_DISCONNECT_NOTIFY], S.IDLE),
    (K.PAC_OUTGOING, S.WAIT_CS_ANS, X.ACCEPT, [A.SEND_ACCEPTANCE], S.ESTABLISHED),
    (K.PAC_OUTGOING, S.ESTABLISHED, X.CLEAR_REQUEST, [A.SEND_DISCONNECT_NOTIFY], S.IDLE),
    (K.PAC_OUTGOING, S.ESTABLISHED, X.TERMINATE, [A.SEND_DISCONNECT_NOTIFY], S.IDLE),
    # 3.2.4.2 PNS outgoing
    (K.PNS_OUTGOING, S.IDLE, X.PLACE, [A.SEND_REQUEST], S.WAIT_REPLY),
    (K.PNS_OUTGOING, S.WAIT_REPLY, X.REPLY_REFUSED, [], S.IDLE),
    (K.PNS_OUTGOING, S.WAIT_REPLY, X.REPLY_ACCEPTED, [], S.ESTABLISHED),
    (K.PNS_OUTGOING, S.WAIT_REPLY, X.TERMINATE, [A.SEND_CLEAR_REQUEST], S.WAIT_DISCONNECT),
    (K.PNS_OUTGOING, S.ESTABLISHED, X.DISCONNECT_NOTIFY, [], S.IDLE),
    (K.PNS_OUTGOING, S.ESTABLISHED, X.TERMINATE, [A.SEND_CLEAR_REQUEST], S.WAIT_DISCONNECT),
    (K.PNS_OUTGOING, S.WAIT_DISCONNECT, X.DISCONNECT_NOTIFY, [], S.IDLE),
]
"""Every arrow of the four diagrams: which messages are sent (or questions asked), and where it leads."""

TOLD = {A.TELL_ESTABLISHED, A.TELL_REFUSED, A.TELL_CLEARED}

EVERY_ROW = [(kind, *pair, *row) for kind, rows in TABLE.items() for pair, row in rows.items()]


@pytest.mark.parametrize(("kind", "state", "what", "sent", "leads_to"), ARROWS)
def test_the_arrows_of_the_diagrams(
    kind: CallKind, state: CallState, what: CallInput, sent: list[CallAction], leads_to: CallState
) -> None:
    after, actions = TABLE[kind][state, what]
    assert after is leads_to
    assert [action for action in actions if action not in TOLD] == sent


@pytest.mark.parametrize(("kind", "before", "what", "after", "actions"), EVERY_ROW)
def test_every_row(
    kind: CallKind, before: CallState, what: CallInput, after: CallState, actions: tuple[CallAction, ...]
) -> None:
    """Whoever follows a call hears exactly once that it was established, and exactly once that it ended."""
    told = [action for action in actions if action in TOLD]
    if after is CallState.IDLE:
        assert told in ([A.TELL_REFUSED], [A.TELL_CLEARED])
    elif after is CallState.ESTABLISHED:
        assert told == [A.TELL_ESTABLISHED]
    else:
        assert told == []
    if before is CallState.ESTABLISHED and after is CallState.IDLE:
        assert told == [A.TELL_CLEARED]


@pytest.mark.parametrize(("kind", "before", "what", "after", "actions"), EVERY_ROW)
def test_roles_keep_to_their_messages(
    kind: CallKind, before: CallState, what: CallInput, after: CallState, actions: tuple[CallAction, ...]
) -> None:
    """Call-Clear-Request is a PNS's (2.12), and a PAC never waits for a disconnect."""
    if kind.role is Role.PAC:
        assert A.SEND_CLEAR_REQUEST not in actions
        assert after is not CallState.WAIT_DISCONNECT
    if A.SEND_DISCONNECT_NOTIFY in actions and kind.role is Role.PNS:
        assert what is CallInput.CLEAR_REQUEST  # the answer that a server which clears like a PNS waits for


@pytest.mark.parametrize("kind", CallKind)
def test_no_state_is_a_trap(kind: CallKind) -> None:
    """From every state that can be reached, the peer and our owner (or a timer) can each end the call."""
    rows = TABLE[kind]
    reached = {after for after, _ in rows.values()} - {CallState.IDLE}
    for state in reached:
        assert (state, X.DISCONNECT_NOTIFY) in rows
        assert (state, X.CLEAR_REQUEST) in rows
        assert {(state, X.TERMINATE), (state, X.REFUSE)} & set(rows)
        assert state is CallState.ESTABLISHED or (state, X.TIMEOUT) in rows


def test_what_may_not_happen() -> None:
    call = Call(K.PAC_OUTGOING, 1, 2, 3, S.ESTABLISHED)
    assert call.transition(X.REPLY_ACCEPTED) is None
    assert call.transition(X.CLEAR_REQUEST) is not None


def test_ids_for_events() -> None:
    assert Call(K.PAC_OUTGOING, None, 0, 3).ids() == (-1, 0)
    assert Call(K.PNS_OUTGOING, 0, None, 3).ids() == (0, -1)


@pytest.mark.parametrize("request_", [None, AnswerCall(7, 8, incoming=False, phone_number="5")])
def test_stop_and_continue(request_: AnswerCall | None) -> None:
    call = Call(K.PAC_OUTGOING, None, 7, 8, S.WAIT_CS_ANS, deadline=1.5, request=request_)
    assert Call.restore(call.snapshot()) == call
